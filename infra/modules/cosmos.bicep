// Two serverless Cosmos DB accounts: the MongoDB API for titles and encode jobs, NoSQL for viewing history. In the
// profile `standard` they can be reached only inside the network, through private endpoints. A subnet rule would not
// work, because calls from Flex Consumption do not come from the subnet (infra/checks/refusals.toml,
// flex-service-endpoints). In `small` they accept calls from Azure's addresses.
param location string
param tags object
@minLength(3)
param token string
@description('Subnet of the private endpoints; if empty, the accounts have public addresses.')
param subnetId string
param networkId string
param workspaceId string
param apiPrincipalId string

var dataContributor = '00000000-0000-0000-0000-000000000002'
// Azure's addresses include those of every customer; a key or an identity protects the accounts.
var fromAzure = empty(subnetId) ? [ { ipAddressOrRange: '0.0.0.0' } ] : []

resource mongo 'Microsoft.DocumentDB/databaseAccounts@2026-03-15' = {
  //checkov:skip=CKV_AZURE_132:MongoDB drivers cannot sign in with an identity, and the app creates its collections and indexes itself
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
    publicNetworkAccess: empty(subnetId) ? 'Enabled' : 'Disabled'
    ipRules: fromAzure
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
    publicNetworkAccess: empty(subnetId) ? 'Enabled' : 'Disabled'
    ipRules: fromAzure
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
      defaultTtl: -1 // each item sets its own lifetime
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

module mongoEndpoint 'endpoint.bicep' = if (!empty(subnetId)) {
  name: 'mongo-endpoint'
  params: {
    location: location
    tags: tags
    name: 'pe-mongo-${token}'
    targetId: mongo.id
    groupId: 'MongoDB'
    zoneName: 'privatelink.mongo.cosmos.azure.com'
    subnetId: subnetId
    networkId: networkId
  }
  dependsOn: [ catalogue ] // an account accepts one change at a time
}

module usageEndpoint 'endpoint.bicep' = if (!empty(subnetId)) {
  name: 'usage-endpoint'
  params: {
    location: location
    tags: tags
    name: 'pe-usage-${token}'
    targetId: usage.id
    groupId: 'Sql'
    zoneName: 'privatelink.documents.azure.com'
    subnetId: subnetId
    networkId: networkId
  }
  dependsOn: [ views, usesUsage ] // an account accepts one change at a time
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
