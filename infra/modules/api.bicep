// The API app on Flex Consumption, which scales to zero and has no key. In the profile `standard` it accesses the
// stores through the virtual network.
param location string
param tags object
param name string
param identityId string
param identityClientId string
@description('Subnet for outgoing calls; if empty, they use Azure\'s shared addresses.')
param subnetId string
param storageName string
param packageContainerUrl string
param vaultUri string
param connectionString string
param workspaceId string
param siteOrigin string
@description('Number of concurrent calls per instance; the platform\'s default for Python is 1.')
@minValue(1)
@maxValue(1000)
param httpConcurrency int
@description('Memory of an instance in MB, which also determines its share of a core.')
@allowed([ 512, 2048, 4096 ])
param instanceMemoryMb int
@description('Number of instances that always run, which avoids cold starts; each is billed for the whole month.')
@minValue(0)
param alwaysReady int
@description('Replace instances one by one; rejected in a region that does not support it yet.')
param rollingUpdates bool
@description('Id of the only Front Door that may call the API; if empty, everyone may call it.')
param frontDoorId string
@description('Application settings that are not secret, by name.')
param settings object
@description('Names of vault secrets, by the setting that refers to them.')
param fromVault object
@description('Further settings, such as PUBLISH_TITLES=reviewed,STREAMS_PER_ACCOUNT=2.')
param chosenSettings string

var plain = [for item in items(settings): { name: item.key, value: item.value }]
var references = [for item in items(fromVault): { name: item.key, value: '@Microsoft.KeyVault(SecretUri=${vaultUri}secrets/${item.value}/)' }]
var pairs = empty(chosenSettings) ? [] : split(chosenSettings, ',')
var chosen = [for pair in pairs: { name: split(pair, '=')[0], value: split(pair, '=')[1] }]
var host = [
  { name: 'AzureWebJobsStorage__accountName', value: storageName }
  { name: 'AzureWebJobsStorage__credential', value: 'managedidentity' }
  { name: 'AzureWebJobsStorage__clientId', value: identityClientId }
  { name: 'AZURE_CLIENT_ID', value: identityClientId }
  { name: 'APPLICATIONINSIGHTS_CONNECTION_STRING', value: connectionString }
  { name: 'APPLICATIONINSIGHTS_AUTHENTICATION_STRING', value: 'ClientId=${identityClientId};Authorization=AAD' }
  { name: 'OTEL_SERVICE_NAME', value: 'api' }
]

// With Front Door, nobody else may call: a caller that bypassed it could put any address into X-Forwarded-For.
var restrictions = empty(frontDoorId) ? [] : [
  {
    name: 'front-door'
    priority: 100
    action: 'Allow'
    tag: 'ServiceTag'
    ipAddress: 'AzureFrontDoor.Backend'
    headers: { 'x-azure-fdid': [ frontDoorId ] }
  }
  { name: 'blob-events', priority: 110, action: 'Allow', tag: 'ServiceTag', ipAddress: 'AzureEventGrid' }
]

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: 'plan-${name}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'functions' })
  kind: 'functionapp,linux'
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identityId}': {} } }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    publicNetworkAccess: 'Enabled' // it is the public API
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    keyVaultReferenceIdentity: identityId
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageContainerUrl
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identityId }
        }
      }
      runtime: { name: 'python', version: '3.13' }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMb
        maximumInstanceCount: 40
        alwaysReady: alwaysReady == 0 ? [] : [ { name: 'http', instanceCount: alwaysReady } ]
        triggers: { http: { perInstanceConcurrency: httpConcurrency } }
      }
      // The default, Recreate, aborts running calls, such as the response to a PayPal webhook.
      #disable-next-line BCP037 // documented, but missing from Microsoft's types of November 2026
      siteUpdateStrategy: rollingUpdates ? { type: 'RollingUpdate' } : null
    }
    siteConfig: {
      // no ftpsState: Flex Consumption rejects it (error 51021) and has no FTP
      minTlsVersion: '1.2'
      http20Enabled: true
      ipSecurityRestrictions: restrictions
      ipSecurityRestrictionsDefaultAction: empty(frontDoorId) ? 'Allow' : 'Deny'
      cors: { allowedOrigins: [ siteOrigin ] }
      appSettings: concat(host, plain, references, chosen)
    }
  }
}

// Code can be deployed only with an identity: neither FTP nor the deployment site accepts a password.
resource noFtp 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'ftp'
  properties: { allow: false }
}

resource noScm 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'scm'
  properties: { allow: false }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-log-analytics'
  scope: app
  properties: { workspaceId: workspaceId, metrics: [ { category: 'AllMetrics', enabled: true } ] }
}

output host string = app.properties.defaultHostName
