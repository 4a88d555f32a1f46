// Redis for sessions and login attempts, reached by a private endpoint only.
param location string
param tags object
param token string
param subnetId string
param networkId string
param workspaceId string

resource cluster 'Microsoft.Cache/redisEnterprise@2025-07-01' = {
  name: 'amr-${token}'
  location: location
  tags: tags
  sku: { name: 'Balanced_B0' }
  properties: { highAvailability: 'Disabled', minimumTlsVersion: '1.2', publicNetworkAccess: 'Disabled' }
}

resource database 'Microsoft.Cache/redisEnterprise/databases@2025-07-01' = {
  parent: cluster
  name: 'default'
  properties: {
    clientProtocol: 'Encrypted'
    port: 10000
    clusteringPolicy: 'EnterpriseCluster'
    evictionPolicy: 'NoEviction' // a session is not a cache entry
    accessKeysAuthentication: 'Enabled' // the key lies in the vault
    persistence: { aofEnabled: true, aofFrequency: '1s' }
  }
}

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = {
  name: 'privatelink.redis.azure.net'
  location: 'global'
  tags: tags
}

resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = {
  parent: zone
  name: 'network'
  location: 'global'
  properties: { registrationEnabled: false, virtualNetwork: { id: networkId } }
}

resource endpoint 'Microsoft.Network/privateEndpoints@2025-09-01' = {
  name: 'pe-redis-${token}'
  location: location
  tags: tags
  properties: {
    subnet: { id: subnetId }
    privateLinkServiceConnections: [
      { name: 'redis', properties: { privateLinkServiceId: cluster.id, groupIds: [ 'redisEnterprise' ] } }
    ]
  }
}

resource names 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2025-09-01' = {
  parent: endpoint
  name: 'default'
  properties: { privateDnsZoneConfigs: [ { name: 'redis', properties: { privateDnsZoneId: zone.id } } ] }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-log-analytics'
  scope: cluster
  properties: { workspaceId: workspaceId, metrics: [ { category: 'AllMetrics', enabled: true } ] }
}

output name string = cluster.name
