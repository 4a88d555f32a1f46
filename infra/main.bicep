// Notflix on Azure: one resource group, two function apps, the stores, and who may do what. See docs/azure.md.
//
//   identity ─► storage, vault ─► stores ─► api, encoder ─► edge (optional)
//                      └► observability, budget
//
// Names of queues, settings and containers are held against the code by tests/unit/azure/test_template.py.
targetScope = 'subscription'

@description('Name of the azd environment; the resource group is named after it.')
@minLength(1)
@maxLength(40)
param environmentName string
@description('Region of everything; it must offer Flex Consumption.')
param location string
@description('Who hears of alerts and of the budget.')
param alertEmail string
@description('Spending a month, in the currency of the subscription, at which mail is sent.')
param monthlyBudget int = 100
@description('First day of the month in which the budget begins, as yyyy-MM-01.')
param budgetStart string
@description('Put Front Door before site, API and films: one address, cached at the edge, at a fixed monthly price.')
param frontDoor bool = false
@description('Keep MySQL backups in the paired region too; a region without a pair refuses it.')
param geoBackup bool = true
@description('Origin of the site if it has a domain of its own; empty is the address of the storage account or Front Door.')
param siteOrigin string = ''
@description('Image of the encoder; azd sets it once it has built one.')
param encoderImage string = ''
@description('Most encoders at once; each has 4 cores and is paid by the second.')
@minValue(1)
@maxValue(1000)
param maxEncoders int = 10

@description('Neo4j over Bolt, such as neo4j+s://xxxx.databases.neo4j.io')
param neo4jUri string
param neo4jUser string = 'neo4j'
@secure()
param neo4jPassword string
@secure()
param omdbApiKey string
param paypalUrl string = 'https://api-m.paypal.com'
param paypalClientId string
@secure()
param paypalClientSecret string
@description('Id of the webhook at PayPal; the post-deployment hook makes it and keeps it in the environment.')
param paypalWebhookId string = ''
@description('Mail server, with user and password in the address; empty sends no mail.')
@secure()
param smtpUrl string = ''
param mailFrom string = ''

@description('Who deploys: may put the site into $web and read the secrets back; azd knows it.')
param deployerPrincipalId string = ''

@secure()
param mysqlAdminPassword string
@secure()
param loginsDbPassword string
@secure()
param loginHistoryDbPassword string
@secure()
param subscriptionsDbPassword string
@secure()
param paymentsDbPassword string
@secure()
param signingKey string
@secure()
param operatorKey string

var tags = { 'azd-env-name': environmentName }
var token = toLower(uniqueString(subscription().id, environmentName, location))

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  name: 'identity'
  scope: group
  params: { location: location, tags: tags, token: token }
}

module network 'modules/network.bicep' = {
  name: 'network'
  scope: group
  params: { location: location, tags: tags, token: token }
}

module observability 'modules/observability.bicep' = {
  name: 'observability'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    alertEmail: alertEmail
    readers: [ identity.outputs.apiPrincipalId, identity.outputs.encoderPrincipalId ]
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    siteOrigin: siteOrigin
    workspaceId: observability.outputs.workspaceId
    apiPrincipalId: identity.outputs.apiPrincipalId
    encoderPrincipalId: identity.outputs.encoderPrincipalId
    deployerPrincipalId: deployerPrincipalId
  }
}

module mysql 'modules/mysql.bicep' = {
  name: 'mysql'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    subnetId: network.outputs.mysqlSubnetId
    networkId: network.outputs.networkId
    workspaceId: observability.outputs.workspaceId
    adminPassword: mysqlAdminPassword
    geoBackup: geoBackup
  }
}

module cosmos 'modules/cosmos.bicep' = {
  name: 'cosmos'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    subnetIds: [ network.outputs.apiSubnetId, network.outputs.containersSubnetId ]
    workspaceId: observability.outputs.workspaceId
    apiPrincipalId: identity.outputs.apiPrincipalId
  }
}

module redis 'modules/redis.bicep' = {
  name: 'redis'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    subnetId: network.outputs.endpointsSubnetId
    networkId: network.outputs.networkId
    workspaceId: observability.outputs.workspaceId
  }
}

module vault 'modules/vault.bicep' = {
  name: 'vault'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    workspaceId: observability.outputs.workspaceId
    apiPrincipalId: identity.outputs.apiPrincipalId
    encoderPrincipalId: identity.outputs.encoderPrincipalId
    migrationsPrincipalId: identity.outputs.migrationsPrincipalId
    deployerPrincipalId: deployerPrincipalId
    mongoName: cosmos.outputs.mongoName
    redisName: redis.outputs.name
    mysqlHost: mysql.outputs.host
    mysqlAdmin: mysql.outputs.admin
    mysqlAdminPassword: mysqlAdminPassword
    loginsDbPassword: loginsDbPassword
    loginHistoryDbPassword: loginHistoryDbPassword
    subscriptionsDbPassword: subscriptionsDbPassword
    paymentsDbPassword: paymentsDbPassword
    signingKey: signingKey
    operatorKey: operatorKey
    neo4jPassword: neo4jPassword
    omdbApiKey: omdbApiKey
    paypalClientSecret: paypalClientSecret
    smtpUrl: smtpUrl
  }
}

module edge 'modules/edge.bicep' = if (frontDoor) {
  name: 'edge'
  scope: group
  params: {
    tags: tags
    token: token
    apiHost: '${apiName}.azurewebsites.net'
    siteHost: storage.outputs.siteHost
    blobHost: storage.outputs.blobHost
    workspaceId: observability.outputs.workspaceId
  }
}

var apiName = 'func-${token}'
var edgeOrigin = frontDoor ? 'https://${edge!.outputs.host}' : ''
var origin = empty(siteOrigin) ? (frontDoor ? edgeOrigin : 'https://${storage.outputs.siteHost}') : siteOrigin

module api 'modules/api.bicep' = {
  name: 'api'
  scope: group
  params: {
    location: location
    tags: tags
    name: apiName
    identityId: identity.outputs.apiId
    identityClientId: identity.outputs.apiClientId
    subnetId: network.outputs.apiSubnetId
    storageName: storage.outputs.name
    packageContainerUrl: storage.outputs.packageContainerUrl
    vaultUri: vault.outputs.uri
    connectionString: observability.outputs.connectionString
    workspaceId: observability.outputs.workspaceId
    siteOrigin: origin
    frontDoorId: frontDoor ? edge!.outputs.id : ''
    settings: {
      SITE_ORIGIN: origin
      BLOB_URL: frontDoor ? '${edgeOrigin}/blobs' : ''
      FRONT_HOPS: frontDoor ? '2' : '1'
      // a hash, or a wait for one, keeps a thread; the worker's own number, five on one core, would be all of them
      PYTHON_THREADPOOL_THREAD_COUNT: '16'
      MYSQL_CA: 'system'
      NEO4J_URI: neo4jUri
      NEO4J_USER: neo4jUser
      PAYPAL_URL: paypalUrl
      PAYPAL_CLIENT_ID: paypalClientId
      PAYPAL_WEBHOOK_ID: paypalWebhookId
      MAIL_FROM: mailFrom
      USAGE_STORE: 'cosmos'
      COSMOS_URL: cosmos.outputs.usageUrl
      COSMOS_DATABASE: cosmos.outputs.usageDatabase
    }
    secrets: union({
      MONGO_URL: 'mongo-url'
      LOGINS_DB_URL: 'logins-db-url'
      LOGIN_HISTORY_DB_URL: 'login-history-db-url'
      SUBSCRIPTIONS_DB_URL: 'subscriptions-db-url'
      PAYMENTS_DB_URL: 'payments-db-url'
      REDIS_URL: 'redis-url'
      NEO4J_PASSWORD: 'neo4j-password'
      OMDB_API_KEY: 'omdb-api-key'
      PAYPAL_CLIENT_SECRET: 'paypal-client-secret'
      SIGNING_KEY: 'signing-key'
      OPERATOR_KEY: 'operator-key'
    }, empty(smtpUrl) ? {} : { SMTP_URL: 'smtp-url' })
  }
}

module encoder 'modules/encoder.bicep' = {
  name: 'encoder'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    identityId: identity.outputs.encoderId
    identityClientId: identity.outputs.encoderClientId
    identityPrincipalId: identity.outputs.encoderPrincipalId
    migrationsIdentityId: identity.outputs.migrationsId
    migrationsPrincipalId: identity.outputs.migrationsPrincipalId
    subnetId: network.outputs.containersSubnetId
    workspaceName: observability.outputs.workspaceName
    connectionString: observability.outputs.connectionString
    storageName: storage.outputs.name
    vaultUri: vault.outputs.uri
    image: encoderImage
    maxEncoders: maxEncoders
    settings: {}
    secrets: { MONGO_URL: 'mongo-url' }
  }
}

module budget 'modules/budget.bicep' = {
  name: 'budget'
  scope: group
  params: { amount: monthlyBudget, startDate: budgetStart, email: alertEmail }
}

output AZURE_RESOURCE_GROUP string = group.name
output AZURE_LOCATION string = location
output AZURE_KEY_VAULT_NAME string = vault.outputs.name
output AZURE_CONTAINER_REGISTRY_ENDPOINT string = encoder.outputs.registryEndpoint
output NOTFLIX_API_NAME string = apiName
output NOTFLIX_API_URL string = frontDoor ? edgeOrigin : 'https://${api.outputs.host}'
output NOTFLIX_BLOB_URL string = frontDoor ? '${edgeOrigin}/blobs' : 'https://${storage.outputs.blobHost}'
output NOTFLIX_SITE_URL string = origin
output NOTFLIX_STORAGE_NAME string = storage.outputs.name
output NOTFLIX_EVENT_TOPIC string = storage.outputs.topicName
output NOTFLIX_MIGRATIONS_JOB string = encoder.outputs.migrationsJob
