// The encoder app: Functions on Container Apps with ffmpeg in its image, from none to many by the length of the queues;
// beside it the job that applies the SQL migrations, from the same image.
param location string
param tags object
param token string
param identityId string
param identityClientId string
param identityPrincipalId string
param migrationsIdentityId string
param migrationsPrincipalId string
param subnetId string
param workspaceName string
param connectionString string
param storageName string
param vaultUri string
param image string
param maxEncoders int
@description('Plain application settings, by name.')
param settings object
@description('Names of secrets in the vault, by the setting that refers to them.')
param secrets object

var pull = '7f951dda-4ed3-4680-a7ca-43fe172d538d'
var placeholder = 'mcr.microsoft.com/k8se/quickstart:latest' // until azd has built the image
var present = empty(image) ? placeholder : image
var plain = [for item in items(settings): { name: item.key, value: item.value }]
var referring = [for item in items(secrets): { name: item.key, secretRef: item.value }]
var referred = [for item in items(secrets): { name: item.value, keyVaultUrl: '${vaultUri}secrets/${item.value}', identity: identityId }]
var host = [
  { name: 'FUNCTIONS_WORKER_RUNTIME', value: 'python' }
  { name: 'AzureWebJobsStorage__accountName', value: storageName }
  { name: 'AzureWebJobsStorage__credential', value: 'managedidentity' }
  { name: 'AzureWebJobsStorage__clientId', value: identityClientId }
  { name: 'AZURE_CLIENT_ID', value: identityClientId }
  { name: 'APPLICATIONINSIGHTS_CONNECTION_STRING', value: connectionString }
  { name: 'APPLICATIONINSIGHTS_AUTHENTICATION_STRING', value: 'ClientId=${identityClientId};Authorization=AAD' }
  { name: 'OTEL_SERVICE_NAME', value: 'encoder' }
]
var databases = [ 'logins-db-password', 'login-history-db-password', 'subscriptions-db-password', 'payments-db-password' ]

resource workspace 'Microsoft.OperationalInsights/workspaces@2026-03-01' existing = {
  name: workspaceName
}

resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' = {
  name: 'cr${token}'
  location: location
  tags: tags
  sku: { name: 'Basic' }
  properties: { adminUserEnabled: false, anonymousPullEnabled: false }
}

resource pulls 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for principal in [ identityPrincipalId, migrationsPrincipalId ]: {
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
    vnetConfiguration: { infrastructureSubnetId: subnetId, internal: true }
    publicNetworkAccess: 'Disabled'
    appLogsConfiguration: {
      destination: 'log-analytics'
      logAnalyticsConfiguration: {
        customerId: workspace.properties.customerId
        sharedKey: workspace.listKeys().primarySharedKey
      }
    }
  }
}

resource app 'Microsoft.App/containerApps@2026-01-01' = {
  name: 'ca-encoder-${token}'
  location: location
  tags: union(tags, { 'azd-service-name': 'encoder' })
  kind: 'functionapp'
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identityId}': {} } }
  properties: {
    environmentId: environment.id
    workloadProfileName: 'Consumption'
    configuration: {
      activeRevisionsMode: 'Single'
      ingress: { external: false, targetPort: 8080, allowInsecure: false } // an ordinary user cannot listen on 80
      registries: [ { server: registry.properties.loginServer, identity: identityId } ]
      secrets: referred
    }
    template: {
      terminationGracePeriodSeconds: 600 // a chunk ends in that time
      containers: [
        {
          name: 'encoder'
          image: present
          resources: { cpu: json('4'), memory: '8Gi' }
          env: concat(host, plain, referring)
        }
      ]
      scale: { minReplicas: 0, maxReplicas: maxEncoders }
    }
  }
  dependsOn: [ pulls ]
}

resource migrations 'Microsoft.App/jobs@2026-01-01' = {
  name: 'migrations-${token}'
  location: location
  tags: tags
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${migrationsIdentityId}': {} } }
  properties: {
    environmentId: environment.id
    workloadProfileName: 'Consumption'
    configuration: {
      triggerType: 'Manual'
      replicaTimeout: 900
      replicaRetryLimit: 0 // a migration that failed says where it stands; a person looks first
      manualTriggerConfig: { parallelism: 1, replicaCompletionCount: 1 }
      registries: [ { server: registry.properties.loginServer, identity: migrationsIdentityId } ]
      secrets: [for name in concat([ 'mysql-admin-url' ], databases): {
        name: name
        keyVaultUrl: '${vaultUri}secrets/${name}'
        identity: migrationsIdentityId
      }]
    }
    template: {
      containers: [
        {
          name: 'migrations'
          image: present
          command: [ 'python', '-m', 'infra.migrations' ]
          resources: { cpu: json('0.5'), memory: '1Gi' }
          env: [
            { name: 'MYSQL_CA', value: 'system' }
            { name: 'MYSQL_ADMIN_URL', secretRef: 'mysql-admin-url' }
            { name: 'LOGINS_DB_PASSWORD', secretRef: 'logins-db-password' }
            { name: 'LOGIN_HISTORY_DB_PASSWORD', secretRef: 'login-history-db-password' }
            { name: 'SUBSCRIPTIONS_DB_PASSWORD', secretRef: 'subscriptions-db-password' }
            { name: 'PAYMENTS_DB_PASSWORD', secretRef: 'payments-db-password' }
          ]
        }
      ]
    }
  }
  dependsOn: [ pulls ]
}

output registryEndpoint string = registry.properties.loginServer
output migrationsJob string = migrations.name
