// Notflix on Azure: one resource group, two function apps, the stores, and their permissions. See docs/azure.md.
//
//   identity ─► storage, vault ─► stores ─► api ─► edge (optional)
//                      ├► observability
//                      └► containers, where infra/encoder.bicep deploys the encoder
//
// Names of queues, settings and containers are compared with the code by tests/unit/azure/test_template.py.
targetScope = 'subscription'

@description('Name of the azd environment; the resource group is named after it.')
@minLength(1)
@maxLength(40)
param environmentName string
@description('Region of all resources; it must offer Flex Consumption.')
param location string
@description('standard: stores without public addresses. small: the lowest cost. See docs/azure.md.')
@allowed([ 'standard', 'small' ])
param profile string = 'standard'
@description('Email address that receives alerts.')
param alertEmail string
@description('Put Front Door in front of site, API and films: one address, cached at the edge, for a monthly price.')
param frontDoor bool = false
@description('Custom domain such as films.example.org, with a certificate from Front Door; requires frontDoor.')
param domain string = ''
@description('Also store MySQL backups in the paired region; rejected in a region without a pair.')
param geoBackup bool = true
@description('Origin of the site if another CDN is in front of it; if empty, the storage account or Front Door.')
param siteOrigin string = ''
@description('Copies of films and queues: ZRS in three zones, GZRS also in a second region, LRS in one data center.')
@allowed([ 'Standard_ZRS', 'Standard_GZRS', 'Standard_LRS' ])
param storageCopies string = 'Standard_ZRS'
@description('Keep overwritten and deleted blobs as versions for fourteen days.')
param blobVersioning bool = false
@description('Create a registry for the encoder image, true or false; if empty, only in the profile standard.')
@allowed([ '', 'true', 'false' ])
param registry string = ''
@description('Number of concurrent calls per API instance.')
@minValue(1)
@maxValue(1000)
param httpConcurrency int = 16
@description('Memory of an API instance in MB.')
@allowed([ 512, 2048, 4096 ])
param instanceMemoryMb int = 2048
@description('Number of API instances that always run.')
@minValue(0)
@maxValue(20)
param alwaysReady int = 0
@description('Update API instances one by one; rejected in a region that does not support it yet.')
param rollingUpdates bool = true

@description('The most that encoding may cost in a calendar month, in US dollars; 0 for no limit.')
@minValue(0)
param encodeLimitUsd int = 0
@description('Settings that the owner chooses, such as PUBLISH_TITLES=reviewed,STREAMS_PER_ACCOUNT=2.')
param chosenSettings string = ''
@description('Pull CDN in front of the films, such as https://films.b-cdn.net; if empty, Front Door or the storage account.')
param cdnUrl string = ''
@description('Key with which the CDN verifies signed addresses; required with cdnUrl.')
@secure()
param cdnTokenKey string = ''

@description('Neo4j over Bolt, such as neo4j+s://xxxx.databases.neo4j.io; if empty, shelves show popular titles.')
param neo4jUri string = ''
param neo4jUser string = 'neo4j'
@secure()
param neo4jPassword string = ''
@description('OMDb API key; if empty, plots and posters are not fetched.')
@secure()
param omdbApiKey string = ''
param paypalUrl string = 'https://api-m.paypal.com'
@description('Client id of the PayPal app; if empty, nobody can subscribe, and the owner uses grants.')
param paypalClientId string = ''
@secure()
param paypalClientSecret string = ''
@description('Id of the PayPal webhook; the post-deployment hook creates it and saves it in the environment.')
param paypalWebhookId string = ''
@description('URL of the mail server, with user and password; if empty, no mail is sent.')
@secure()
param smtpUrl string = ''
param mailFrom string = ''

@description('Deploying principal: may upload the site and, if it is a person, read the operator key; azd sets it.')
param deployerPrincipalId string = ''
@allowed([ 'User', 'ServicePrincipal' ])
param deployerPrincipalType string = 'User'

@description('Comma-separated names of the generated secrets to write; `./notflix azure prepare` sets it.')
param generatedNow string = ''
@secure()
param mysqlAdminPassword string = ''
@secure()
param loginsDbPassword string = ''
@secure()
param loginHistoryDbPassword string = ''
@secure()
param auditDbPassword string = ''
@secure()
param subscriptionsDbPassword string = ''
@secure()
param paymentsDbPassword string = ''
@secure()
param signingKey string = ''
@secure()
param secondFactorKeys string = ''
@secure()
param filmKeys string = ''
@secure()
param operatorKey string = ''

var tags = { 'azd-env-name': environmentName }
var token = toLower(uniqueString(subscription().id, environmentName, location))
var private = profile == 'standard'
var apiName = 'func-${token}'

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

module network 'modules/network.bicep' = if (private) {
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
    oneAlert: !private
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
    copies: storageCopies
    versioning: blobVersioning
    workspaceId: observability.outputs.workspaceId
    actionGroupId: observability.outputs.actionGroupId
    apiPrincipalId: identity.outputs.apiPrincipalId
    encoderPrincipalId: identity.outputs.encoderPrincipalId
    deployerPrincipalId: deployerPrincipalId
    deployerPrincipalType: deployerPrincipalType
  }
}

module mysql 'modules/mysql.bicep' = {
  name: 'mysql'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    subnetId: private ? network!.outputs.mysqlSubnetId : ''
    networkId: private ? network!.outputs.networkId : ''
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
    subnetId: private ? network!.outputs.endpointsSubnetId : ''
    networkId: private ? network!.outputs.networkId : ''
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
    subnetId: private ? network!.outputs.endpointsSubnetId : ''
    networkId: private ? network!.outputs.networkId : ''
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
    deployerPrincipalType: deployerPrincipalType
    generatedNow: generatedNow
    mongoName: cosmos.outputs.mongoName
    redisName: redis.outputs.name
    mysqlHost: mysql.outputs.host
    mysqlAdmin: mysql.outputs.admin
    mysqlAdminPassword: mysqlAdminPassword
    loginsDbPassword: loginsDbPassword
    loginHistoryDbPassword: loginHistoryDbPassword
    auditDbPassword: auditDbPassword
    subscriptionsDbPassword: subscriptionsDbPassword
    paymentsDbPassword: paymentsDbPassword
    signingKey: signingKey
    secondFactorKeys: secondFactorKeys
    filmKeys: filmKeys
    operatorKey: operatorKey
    neo4jPassword: neo4jPassword
    omdbApiKey: omdbApiKey
    paypalClientSecret: paypalClientSecret
    smtpUrl: smtpUrl
    cdnTokenKey: cdnTokenKey
  }
}

module edge 'modules/edge.bicep' = if (frontDoor) {
  name: 'edge'
  scope: group
  params: {
    tags: tags
    token: token
    domain: domain
    apiHost: '${apiName}.azurewebsites.net'
    siteHost: storage.outputs.siteHost
    blobHost: storage.outputs.blobHost
    workspaceId: observability.outputs.workspaceId
  }
}

// Vault secrets that the API reads, by the setting that refers to them.
var always = {
  MONGO_URL: 'mongo-url'
  LOGINS_DB_URL: 'logins-db-url'
  LOGIN_HISTORY_DB_URL: 'login-history-db-url'
  AUDIT_DB_URL: 'audit-db-url'
  SUBSCRIPTIONS_DB_URL: 'subscriptions-db-url'
  PAYMENTS_DB_URL: 'payments-db-url'
  REDIS_URL: 'redis-url'
  SIGNING_KEY: 'signing-key'
  SECOND_FACTOR_KEYS: 'second-factor-keys'
  FILM_KEYS: 'film-keys'
  OPERATOR_KEY: 'operator-key'
}
var ofNeo4j = empty(neo4jPassword) ? {} : { NEO4J_PASSWORD: 'neo4j-password' }
var ofOmdb = empty(omdbApiKey) ? {} : { OMDB_API_KEY: 'omdb-api-key' }
var ofPaypal = empty(paypalClientSecret) ? {} : { PAYPAL_CLIENT_SECRET: 'paypal-client-secret' }
var ofMail = empty(smtpUrl) ? {} : { SMTP_URL: 'smtp-url' }
var ofCdn = empty(cdnTokenKey) ? {} : { CDN_TOKEN_KEY: 'cdn-token-key' }
var optional = union(ofNeo4j, ofOmdb, ofPaypal, ofMail, ofCdn)

var edgeOrigin = frontDoor ? 'https://${edge!.outputs.host}' : ''
var blobsAtEdge = frontDoor ? '${edgeOrigin}/blobs' : ''
var filmsUrl = empty(cdnUrl) ? blobsAtEdge : cdnUrl
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
    subnetId: private ? network!.outputs.apiSubnetId : ''
    storageName: storage.outputs.name
    packageContainerUrl: storage.outputs.packageContainerUrl
    vaultUri: vault.outputs.uri
    connectionString: observability.outputs.connectionString
    workspaceId: observability.outputs.workspaceId
    siteOrigin: origin
    httpConcurrency: httpConcurrency
    alwaysReady: alwaysReady
    instanceMemoryMb: instanceMemoryMb
    rollingUpdates: rollingUpdates
    frontDoorId: frontDoor ? edge!.outputs.id : ''
    settings: {
      SITE_ORIGIN: origin
      BLOB_URL: filmsUrl
      ENCODE_MONTHLY_LIMIT_USD: string(encodeLimitUsd)
      FRONT_HOPS: frontDoor ? '2' : '1'
      // one thread per concurrent call, because hashing a password, or waiting to hash it, blocks a thread
      PYTHON_THREADPOOL_THREAD_COUNT: string(httpConcurrency)
      // the host keeps a body in memory before a route can refuse it (default: 100 MB). Films do not pass through the
      // API; the largest requests are Event Grid's, of up to 1 MB
      // (learn.microsoft.com/azure/azure-functions/functions-app-settings#functions_request_body_size_limit)
      FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '1048576'
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
    fromVault: union(always, optional)
    chosenSettings: chosenSettings
  }
}

module containers 'modules/containers.bicep' = {
  name: 'containers'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    subnetId: private ? network!.outputs.containersSubnetId : ''
    withRegistry: empty(registry) ? private : registry == 'true'
    workspaceName: observability.outputs.workspaceName
    pullers: [ identity.outputs.encoderPrincipalId, identity.outputs.migrationsPrincipalId ]
  }
}

module availability 'modules/availability.bicep' = if (private) {
  name: 'availability'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    insightsId: observability.outputs.insightsId
    actionGroupId: observability.outputs.actionGroupId
    apiUrl: frontDoor ? edgeOrigin : 'https://${api.outputs.host}'
  }
}

output AZURE_RESOURCE_GROUP string = group.name
output AZURE_LOCATION string = location
output AZURE_KEY_VAULT_NAME string = vault.outputs.name
output AZURE_CONTAINER_REGISTRY_ENDPOINT string = containers.outputs.registryEndpoint
output NOTFLIX_TOKEN string = token
output NOTFLIX_API_NAME string = apiName
output NOTFLIX_API_URL string = frontDoor ? edgeOrigin : 'https://${api.outputs.host}'
output NOTFLIX_API_HOST string = api.outputs.host
output NOTFLIX_BLOB_URL string = empty(filmsUrl) ? 'https://${storage.outputs.blobHost}' : filmsUrl
output NOTFLIX_UPLOADS_URL string = empty(cdnUrl) && frontDoor ? edgeOrigin : 'https://${storage.outputs.blobHost}'
output NOTFLIX_SITE_URL string = origin
output NOTFLIX_STORAGE_NAME string = storage.outputs.name
output NOTFLIX_EVENT_TOPIC string = storage.outputs.topicName
output NOTFLIX_VAULT_URI string = vault.outputs.uri
output NOTFLIX_TELEMETRY string = observability.outputs.connectionString
output NOTFLIX_CONTAINERS_ID string = containers.outputs.environmentId
output NOTFLIX_ENCODER_IDENTITY_ID string = identity.outputs.encoderId
output NOTFLIX_ENCODER_CLIENT_ID string = identity.outputs.encoderClientId
output NOTFLIX_MIGRATIONS_IDENTITY_ID string = identity.outputs.migrationsId
