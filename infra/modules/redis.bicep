// Redis for sessions and login attempts. In the profile `standard` it has no public address; in `small` it has a public
// address that accepts only TLS connections with its key.
param location string
param tags object
@minLength(3)
param token string
@description('Subnet of the private endpoint; if empty, Redis has a public address.')
param subnetId string
param networkId string
param workspaceId string

resource cluster 'Microsoft.Cache/redisEnterprise@2025-07-01' = {
  name: 'amr-${token}'
  location: location
  tags: tags
  sku: { name: 'Balanced_B0' }
  properties: {
    highAvailability: 'Disabled'
    minimumTlsVersion: '1.2'
    publicNetworkAccess: empty(subnetId) ? 'Enabled' : 'Disabled'
  }
}

resource database 'Microsoft.Cache/redisEnterprise/databases@2025-07-01' = {
  parent: cluster
  name: 'default'
  properties: {
    clientProtocol: 'Encrypted'
    port: 10000
    clusteringPolicy: 'EnterpriseCluster'
    evictionPolicy: 'NoEviction' // sessions must not be evicted
    accessKeysAuthentication: 'Enabled' // the key is in the vault
    persistence: { aofEnabled: true, aofFrequency: '1s' }
  }
}

module endpoint 'endpoint.bicep' = if (!empty(subnetId)) {
  name: 'redis-endpoint'
  params: {
    location: location
    tags: tags
    name: 'pe-redis-${token}'
    targetId: cluster.id
    groupId: 'redisEnterprise'
    zoneName: 'privatelink.redis.azure.net'
    subnetId: subnetId
    networkId: networkId
  }
  dependsOn: [ database ] // the cluster accepts one change at a time
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-log-analytics'
  scope: cluster
  properties: { workspaceId: workspaceId, metrics: [ { category: 'AllMetrics', enabled: true } ] }
}

output name string = cluster.name
