// Two serverless Cosmos DB accounts, reached from the apps' subnets only: titles and encode jobs by the MongoDB API, viewing
// history by NoSQL.
param location string
param tags object
param token string
param subnetIds array
param workspaceId string
param apiPrincipalId string

var dataContributor = '00000000-0000-0000-0000-000000000002'

resource mongo 'Microsoft.DocumentDB/databaseAccounts@2026-03-15' = {
  //checkov:skip=CKV_AZURE_132:drivers of MongoDB know no identity, and the app makes its collections and indexes itself
  name: 'cosmon-${token}'
  location: location
  tags: tags
  kind: 'MongoDB'
  properties: {
    databaseAccountOfferType: 'Standard'
    locations: [ { locationName: location, failoverPriority: 0 } ]
    capabilities: [ { name: 'EnableServerless' }, { name: 'EnableMongo' } ]
    apiProperties: { serverVersion: '7.0' }
    backupPolicy: { type: 'Continuous', continuousModeProperties: { tier: 'Continuous7Days' } }
    minimalTlsVersion: 'Tls12'
    publicNetworkAccess: 'Enabled' // narrowed to the two subnets below
    isVirtualNetworkFilterEnabled: true
    virtualNetworkRules: [for id in subnetIds: { id: id }]
    disableKeyBasedMetadataWriteAccess: false
  }
}

resource catalogue 'Microsoft.DocumentDB/databaseAccounts/mongodbDatabases@2026-03-15' = {
  parent: mongo
  name: 'notflix'
  properties: { resource: { id: 'notflix' } }
}

resource usage 'Microsoft.DocumentDB/databaseAccounts@2026-03-15' = {
  name: 'cosmos-${token}'
  location: location
  tags: tags
  kind: 'GlobalDocumentDB'
  properties: {
    databaseAccountOfferType: 'Standard'
    locations: [ { locationName: location, failoverPriority: 0 } ]
    capabilities: [ { name: 'EnableServerless' } ]
    backupPolicy: { type: 'Continuous', continuousModeProperties: { tier: 'Continuous7Days' } }
    disableLocalAuth: true
    minimalTlsVersion: 'Tls12'
    publicNetworkAccess: 'Enabled' // narrowed to the two subnets below
    isVirtualNetworkFilterEnabled: true
    virtualNetworkRules: [for id in subnetIds: { id: id }]
    disableKeyBasedMetadataWriteAccess: true
  }
}

resource usageDatabase 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases@2026-03-15' = {
  parent: usage
  name: 'usage'
  properties: { resource: { id: 'usage' } }
}

resource views 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers@2026-03-15' = {
  parent: usageDatabase
  name: 'usage'
  properties: {
    resource: {
      id: 'usage'
      partitionKey: { paths: [ '/user_id' ], kind: 'Hash', version: 2 }
      defaultTtl: -1 // items say for themselves how long they live
    }
  }
}

resource usesUsage 'Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments@2026-03-15' = {
  parent: usage
  name: guid(usage.id, apiPrincipalId, dataContributor)
  properties: {
    principalId: apiPrincipalId
    roleDefinitionId: '${usage.id}/sqlRoleDefinitions/${dataContributor}'
    scope: usage.id
  }
}

resource mongoLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-log-analytics'
  scope: mongo
  properties: {
    workspaceId: workspaceId
    logs: [ { category: 'ControlPlaneRequests', enabled: true } ]
    metrics: [ { category: 'Requests', enabled: true } ]
  }
}

resource usageLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-log-analytics'
  scope: usage
  properties: {
    workspaceId: workspaceId
    logs: [ { category: 'ControlPlaneRequests', enabled: true } ]
    metrics: [ { category: 'Requests', enabled: true } ]
  }
}

output mongoName string = mongo.name
output usageUrl string = usage.properties.documentEndpoint
output usageDatabase string = usageDatabase.name
