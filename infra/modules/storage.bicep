// The storage account for uploads, films, the site, the queues, undelivered events and the API app's package. It
// accepts only identities, no account key; browsers read films with a user-delegation SAS for one title's container.
param location string
param tags object
@minLength(3)
param token string
param siteOrigin string
@description('Copies: ZRS in three zones of the region, GZRS also in a second region, LRS in one data center.')
@allowed([ 'Standard_ZRS', 'Standard_GZRS', 'Standard_LRS' ])
param copies string
@description('Keep overwritten and deleted blobs as versions for fourteen days; each version is billed like a blob.')
param versioning bool
param workspaceId string
param actionGroupId string
param apiPrincipalId string
param encoderPrincipalId string
param deployerPrincipalId string
@allowed([ 'User', 'ServicePrincipal' ])
param deployerPrincipalType string

var blobContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
var blobOwner = 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
var queueContributor = '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
var tableContributor = '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
var blobDelegator = 'db58b8e5-c6ad-4a2a-8342-4190687cbf4a'

// The encoder's scale rules read these queues (infra/encoder.bicep). Each must exist, because a rule for a missing
// queue stops all scaling.
var encoderQueues = [
  'plan-encode'
  'plan-encode-poison'
  'prepare-encode'
  'prepare-encode-poison'
  'encode-front'
  'encode-front-poison'
  'encode-chunk'
  'encode-chunk-poison'
  'encode-audio'
  'encode-audio-poison'
  'encode-av1'
  'encode-av1-poison'
  'encode-renditions'
  'encode-renditions-poison'
  'find-intros'
  'find-intros-poison'
  'make-captions'
  'make-captions-poison'
  'publish-title'
  'publish-title-poison'
]
var apiQueues = [
  'parked-messages' // malformed messages, kept until a person handles them
  'fetch-metadata'
  'publish-catalogue'
  'update-graph'
  'record-login'
  'record-action'
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
  sku: { name: copies }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: 'Enabled' // browsers read films and site from it
    sasPolicy: { sasExpirationPeriod: '0.12:00:00', expirationAction: 'Log' }
  }
}

var siteHost = split(account.properties.primaryEndpoints.web, '/')[2] // https://host/
var origin = empty(siteOrigin) ? 'https://${siteHost}' : siteOrigin

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2026-04-01' = {
  parent: account
  name: 'default'
  properties: {
    staticWebsite: { enabled: true, indexDocument: 'index.html', errorDocument404Path: '404.html' }
    isVersioningEnabled: versioning
    deleteRetentionPolicy: { enabled: true, days: 14 }
    containerDeleteRetentionPolicy: { enabled: true, days: 14 }
    cors: {
      corsRules: [
        {
          allowedOrigins: [ origin ]
          allowedMethods: [ 'GET', 'HEAD', 'OPTIONS', 'PUT' ]
          allowedHeaders: [
            'range'
            'content-type'
            'if-match'
            'if-none-match'
            'x-ms-blob-type'
            'x-ms-version'
            'x-ms-blob-content-type'
            'x-ms-meta-*'
          ]
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

// Copies of uploads in containers that ffmpeg cannot seek in, while they are encoded. Viewers get no key for them.
resource intermediates 'Microsoft.Storage/storageAccounts/blobServices/containers@2026-04-01' = {
  parent: blobs
  name: 'intermediates'
  properties: { publicAccess: 'None' }
}

resource site 'Microsoft.Storage/storageAccounts/blobServices/containers@2026-04-01' = {
  parent: blobs
  name: '$web'
  properties: { publicAccess: 'None' }
}

// Events that Event Grid could not deliver, kept for thirty days; they trigger the alert `events-undelivered`.
resource deadEvents 'Microsoft.Storage/storageAccounts/blobServices/containers@2026-04-01' = {
  parent: blobs
  name: 'dead-events'
  properties: { publicAccess: 'None' }
}

resource package 'Microsoft.Storage/storageAccounts/blobServices/containers@2026-04-01' = {
  parent: blobs
  name: 'app-package'
  properties: { publicAccess: 'None' }
}

// An upload is read while it is encoded, and then kept as the master. It moves to cheaper tiers and is never deleted.
resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2026-04-01' = {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'masters-to-cheaper-tiers'
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
        {
          name: 'versions-expire'
          type: 'Lifecycle'
          enabled: true
          definition: {
            filters: { blobTypes: [ 'blockBlob' ] }
            actions: { version: { delete: { daysAfterCreationGreaterThan: 14 } } }
          }
        }
        {
          name: 'copies-expire' // those whose job is unknown, for instance after a restore; an encode makes its copy again
          type: 'Lifecycle'
          enabled: true
          definition: {
            filters: { blobTypes: [ 'blockBlob' ], prefixMatch: [ 'intermediates/' ] }
            actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: 30 } } }
          }
        }
        {
          name: 'dead-events-expire'
          type: 'Lifecycle'
          enabled: true
          definition: {
            filters: { blobTypes: [ 'blockBlob' ], prefixMatch: [ 'dead-events/' ] }
            actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: 30 } } }
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

resource ofEncoder 'Microsoft.Storage/storageAccounts/queueServices/queues@2026-04-01' = [for name in encoderQueues: {
  parent: queueService
  name: name
}]

resource ofApi 'Microsoft.Storage/storageAccounts/queueServices/queues@2026-04-01' = [for name in apiQueues: {
  parent: queueService
  name: name
}]

// The topic of blob events. infra/events.bicep creates its subscription once the API app runs. Undelivered events are
// written with the topic's own identity, so no key is involved.
resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: 'evgt-${token}'
  location: location
  tags: tags
  identity: { type: 'SystemAssigned' }
  properties: { source: account.id, topicType: 'Microsoft.Storage.StorageAccounts' }
}

resource undelivered 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'events-undelivered-${token}'
  location: 'global'
  tags: tags
  properties: {
    description: 'Event Grid could not deliver the event of an upload; it is in the container dead-events.'
    severity: 1
    enabled: true
    scopes: [ topic.id ]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT5M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'dead-lettered'
          metricName: 'DeadLetteredCount'
          operator: 'GreaterThan'
          threshold: 0
          timeAggregation: 'Total'
        }
      ]
    }
    autoMitigate: true
    actions: [ { actionGroupId: actionGroupId } ]
  }
}

// The Functions host needs Blob Data Owner on the account that holds its leases; the other roles are for our own calls.
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

resource writesDeadEvents 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(deadEvents.id, topic.id, blobContributor)
  scope: deadEvents
  properties: {
    principalId: topic.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobContributor)
  }
}

// The Functions host writes its diagnostic events to a table.
resource usesTables 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for principal in [ apiPrincipalId, encoderPrincipalId ]: {
  name: guid(account.id, principal, tableContributor)
  scope: account
  properties: {
    principalId: principal
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', tableContributor)
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
    principalType: deployerPrincipalType
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
output blobHost string = split(account.properties.primaryEndpoints.blob, '/')[2]
output siteHost string = siteHost
output packageContainerUrl string = '${account.properties.primaryEndpoints.blob}${package.name}'
