// MySQL for logins, login history, subscriptions and payments. In the profile `standard` it can be reached only inside
// the network; in `small` it has a public address that accepts TLS connections from Azure. The migrations job creates
// its databases and users.
param location string
param tags object
@minLength(3)
param token string
@description('Subnet of MySQL; if empty, MySQL has a public address. It cannot be changed later.')
param subnetId string
param networkId string
param workspaceId string
@description('Administrator password; only a new server needs it. If empty, the password of an existing server does not change.')
@secure()
param adminPassword string
param geoBackup bool

var admin = 'notflixadmin'

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = if (!empty(subnetId)) {
  name: '${token}.private.mysql.database.azure.com'
  location: 'global'
  tags: tags
}

resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = if (!empty(subnetId)) {
  parent: zone
  name: 'network'
  location: 'global'
  properties: { registrationEnabled: false, virtualNetwork: { id: networkId } }
}

resource server 'Microsoft.DBforMySQL/flexibleServers@2024-12-30' = {
  name: 'mysql-${token}'
  location: location
  tags: tags
  sku: { name: 'Standard_B1ms', tier: 'Burstable' }
  properties: {
    version: '8.4' // standard support for 8.0 ends on 2026-12-31
    administratorLogin: admin
    administratorLoginPassword: empty(adminPassword) ? null : adminPassword
    storage: { storageSizeGB: 20, autoGrow: 'Enabled', autoIoScaling: 'Enabled' }
    backup: { backupRetentionDays: 14, geoRedundantBackup: geoBackup ? 'Enabled' : 'Disabled' }
    highAvailability: { mode: 'Disabled' } // not available in the burstable tier
    network: empty(subnetId) ? { publicNetworkAccess: 'Enabled' } : {
      delegatedSubnetResourceId: subnetId
      privateDnsZoneResourceId: zone.id
      publicNetworkAccess: 'Disabled'
    }
  }
  dependsOn: [ link ]
}

// The address range 0.0.0.0 means every address inside Azure, including those of other customers. The password and TLS
// protect the server.
resource fromAzure 'Microsoft.DBforMySQL/flexibleServers/firewallRules@2024-12-30' = if (empty(subnetId)) {
  parent: server
  name: 'azure'
  properties: { startIpAddress: '0.0.0.0', endIpAddress: '0.0.0.0' }
}

resource tls 'Microsoft.DBforMySQL/flexibleServers/configurations@2024-12-30' = {
  parent: server
  name: 'require_secure_transport'
  properties: { value: 'ON', source: 'user-override' }
  dependsOn: [ fromAzure ] // a server rejects a change while another one is in progress
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-log-analytics'
  scope: server
  properties: {
    workspaceId: workspaceId
    logs: [ { categoryGroup: 'audit', enabled: true } ]
    metrics: [ { category: 'AllMetrics', enabled: true } ]
  }
}

output host string = server.properties.fullyQualifiedDomainName
output admin string = admin
