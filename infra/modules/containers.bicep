// The environment in which the encoder runs, and the registry with its image. infra/encoder.bicep deploys the app
// itself and the migrations job with their image.
param location string
param tags object
@minLength(3)
param token string
@description('Subnet of the environment; if empty, it has no network of its own, so it needs no load balancer.')
param subnetId string
@description('Create a registry for the image; not needed for a prebuilt image.')
param withRegistry bool
param workspaceName string
@description('Principals that may pull the image.')
param pullers array

var pull = '7f951dda-4ed3-4680-a7ca-43fe172d538d'

resource workspace 'Microsoft.OperationalInsights/workspaces@2026-03-01' existing = {
  name: workspaceName
}

resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' = if (withRegistry) {
  name: 'cr${token}'
  location: location
  tags: tags
  sku: { name: 'Basic' }
  properties: { adminUserEnabled: false, anonymousPullEnabled: false }
}

resource pulls 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for principal in pullers: if (withRegistry) {
  name: guid(registry.id, principal, pull)
  scope: registry
  properties: {
    principalId: principal
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', pull)
  }
}]

resource environment 'Microsoft.App/managedEnvironments@2026-01-01' = {
  name: 'cae-${token}'
  location: location
  tags: tags
  properties: {
    workloadProfiles: [ { name: 'Consumption', workloadProfileType: 'Consumption' } ]
    vnetConfiguration: empty(subnetId) ? null : { infrastructureSubnetId: subnetId, internal: true }
    publicNetworkAccess: empty(subnetId) ? 'Enabled' : 'Disabled' // nothing in it accepts calls
    appLogsConfiguration: {
      destination: 'log-analytics'
      logAnalyticsConfiguration: {
        customerId: workspace.properties.customerId
        sharedKey: workspace.listKeys().primarySharedKey
      }
    }
  }
}

output environmentId string = environment.id
output registryEndpoint string = withRegistry ? registry!.properties.loginServer : ''
