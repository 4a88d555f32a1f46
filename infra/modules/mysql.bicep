// MySQL inside the network only: logins, login history, subscriptions, payments. Its databases and users are made by the
// migrations job, which runs in the same network.
param location string
param tags object
param token string
param subnetId string
param networkId string
param workspaceId string
@secure()
param adminPassword string
param geoBackup bool

var admin = 'notflixadmin'

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = {
  name: '${token}.private.mysql.database.azure.com'
  location: 'global'
  tags: tags
}

resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = {
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
    version: '8.0.21'
    administratorLogin: admin
    administratorLoginPassword: adminPassword
    storage: { storageSizeGB: 20, autoGrow: 'Enabled', autoIoScaling: 'Enabled' }
    backup: { backupRetentionDays: 14, geoRedundantBackup: geoBackup ? 'Enabled' : 'Disabled' }
    highAvailability: { mode: 'Disabled' } // the burstable tier has none
    network: { delegatedSubnetResourceId: subnetId, privateDnsZoneResourceId: zone.id, publicNetworkAccess: 'Disabled' }
  }
  dependsOn: [ link ]
}

resource tls 'Microsoft.DBforMySQL/flexibleServers/configurations@2024-12-30' = {
  parent: server
  name: 'require_secure_transport'
  properties: { value: 'ON', source: 'user-override' }
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
