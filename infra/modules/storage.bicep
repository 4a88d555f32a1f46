// The one storage account: uploads, films, the site, the queues, and the API app's package. It answers to identities only;
// browsers read films with a user-delegation SAS for one title's container.
param location string
param tags object
param token string
param siteOrigin string
param workspaceId string
param apiPrincipalId string
param encoderPrincipalId string
param deployerPrincipalId string

var blobContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
var blobOwner = 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
var queueContributor = '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
var blobDelegator = 'db58b8e5-c6ad-4a2a-8342-4190687cbf4a'

var queues = [
  'plan-encode'
  'encode-chunk'
  'encode-audio'
  'publish-title'
  'fetch-metadata'
  'publish-catalogue'
  'update-graph'
  'record-login'
  'start-reset'
  'send-mail'
  'forget-viewer'
  'settle-subscription'
  'rebuild-graph'
]

resource account 'Microsoft.Storage/storageAccounts@2026-04-01' = {
  name: 'st${token}'
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: 'Standard_ZRS' }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: 'Enabled' // browsers read films and site here
    sasPolicy: { sasExpirationPeriod: '0.12:00:00', expirationAction: 'Log' }
  }
}

var origin = empty(siteOrigin) ? substring(account.properties.primaryEndpoints.web, 0, length(account.properties.primaryEndpoints.web) - 1) : siteOrigin

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2026-04-01' = {
  parent: account
  name: 'default'
  properties: {
    staticWebsite: { enabled: true, indexDocument: 'index.html', errorDocument404Path: '404.html' }
    deleteRetentionPolicy: { enabled: true, days: 14 }
    containerDeleteRetentionPolicy: { enabled: true, days: 14 }
    cors: {
      corsRules: [
        {
          allowedOrigins: [ origin ]
          allowedMethods: [ 'GET', 'HEAD', 'OPTIONS', 'PUT' ]
          allowedHeaders: [ 'range', 'content-type', 'x-ms-blob-type', 'x-ms-version', 'x-ms-blob-content-type' ]
          exposedHeaders: [ 'content-length', 'content-range', 'accept-ranges', 'etag' ]
          maxAgeInSeconds: 3600
        }
      ]
    }
  }
}

resource uploads 'Microsoft.Storage/storageAccounts/blobServices/containers@2026-04-01' = {
  parent: blobs
  name: 'uploads'
  properties: { publicAccess: 'None' }
}

resource site 'Microsoft.Storage/storageAccounts/blobServices/containers@2026-04-01' = {
  parent: blobs
  name: '$web'
  properties: { publicAccess: 'None' }
}

resource package 'Microsoft.Storage/storageAccounts/blobServices/containers@2026-04-01' = {
  parent: blobs
  name: 'app-package'
  properties: { publicAccess: 'None' }
}

// An upload is read while it is encoded and kept as the master: it moves to cheaper tiers, and is never deleted.
resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2026-04-01' = {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'masters-grow-cold'
          type: 'Lifecycle'
          enabled: true
          definition: {
            filters: { blobTypes: [ 'blockBlob' ], prefixMatch: [ 'uploads/' ] }
            actions: {
              baseBlob: {
                tierToCool: { daysAfterModificationGreaterThan: 14 }
                tierToCold: { daysAfterModificationGreaterThan: 60 }
              }
            }
          }
        }
      ]
    }
  }
}

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2026-04-01' = {
  parent: account
  name: 'default'
  properties: {}
}

resource queue 'Microsoft.Storage/storageAccounts/queueServices/queues@2026-04-01' = [for name in queues: {
  parent: queueService
  name: name
}]

// Blob events; the subscription that leads them to the API app is made by infra/events.bicep once its code is there.
resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: 'evgt-${token}'
  location: location
  tags: tags
  identity: { type: 'SystemAssigned' }
  properties: { source: account.id, topicType: 'Microsoft.Storage.StorageAccounts' }
}

// The Functions host needs Owner of the account it keeps its leases in; the rest of the roles are for our own calls.
resource ownsBlobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for principal in [ apiPrincipalId, encoderPrincipalId ]: {
  name: guid(account.id, principal, blobOwner)
  scope: account
  properties: {
    principalId: principal
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobOwner)
  }
}]

resource usesQueues 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for principal in [ apiPrincipalId, encoderPrincipalId ]: {
  name: guid(account.id, principal, queueContributor)
  scope: account
  properties: {
    principalId: principal
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', queueContributor)
  }
}]

resource signs 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for principal in [ apiPrincipalId, encoderPrincipalId ]: {
  name: guid(account.id, principal, blobDelegator)
  scope: account
  properties: {
    principalId: principal
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDelegator)
  }
}]

resource publishesSite 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(deployerPrincipalId)) {
  name: guid(site.id, deployerPrincipalId, blobContributor)
  scope: site
  properties: {
    principalId: deployerPrincipalId
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobContributor)
  }
}

resource blobLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-log-analytics'
  scope: blobs
  properties: {
    workspaceId: workspaceId
    logs: [ { category: 'StorageDelete', enabled: true }, { category: 'StorageWrite', enabled: false } ]
    metrics: [ { category: 'Transaction', enabled: true } ]
  }
}

output name string = account.name
output topicName string = topic.name
output blobHost string = replace(replace(account.properties.primaryEndpoints.blob, 'https://', ''), '/', '')
output siteHost string = replace(replace(account.properties.primaryEndpoints.web, 'https://', ''), '/', '')
output packageContainerUrl string = '${account.properties.primaryEndpoints.blob}${package.name}'
