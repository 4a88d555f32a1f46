// Every secret of the product, each readable by the identities that need it and no other.
param location string
param tags object
param token string
param workspaceId string
param apiPrincipalId string
param encoderPrincipalId string
param migrationsPrincipalId string
param deployerPrincipalId string
param mongoName string
param redisName string
param mysqlHost string
param mysqlAdmin string
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
@secure()
param neo4jPassword string
@secure()
param omdbApiKey string
@secure()
param paypalClientSecret string
@secure()
param smtpUrl string

var secretsUser = '4633458b-17de-408a-b874-0445c86b69e6'

resource mongo 'Microsoft.DocumentDB/databaseAccounts@2026-03-15' existing = {
  name: mongoName
}

resource redisDatabase 'Microsoft.Cache/redisEnterprise/databases@2025-07-01' existing = {
  name: '${redisName}/default'
}

resource redis 'Microsoft.Cache/redisEnterprise@2025-07-01' existing = {
  name: redisName
}

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' = {
  name: 'kv-${token}'
  location: location
  tags: tags
  properties: {
    tenantId: subscription().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 30
    enablePurgeProtection: true
    publicNetworkAccess: 'Enabled' // the deployer's machine reads and writes it; every caller needs a role
  }
}

// A loop goes over names, which are known when the deployment begins; what it writes may become known only then. A vault takes
// no empty secret, so there is none of what was not given.
var apiSecrets = concat([
  'mongo-url'
  'redis-url'
  'logins-db-url'
  'login-history-db-url'
  'subscriptions-db-url'
  'payments-db-url'
  'signing-key'
  'operator-key'
  'neo4j-password'
  'omdb-api-key'
  'paypal-client-secret'
], empty(smtpUrl) ? [] : [ 'smtp-url' ])
var mysql = '@${mysqlHost}:3306'
var values = {
  'mongo-url': mongo.listConnectionStrings().connectionStrings[0].connectionString
  'redis-url': 'rediss://:${uriComponent(redisDatabase.listKeys().primaryKey)}@${redis.properties.hostName}:10000/0'
  'logins-db-url': 'mysql://logins:${uriComponent(loginsDbPassword)}${mysql}/logins_db'
  'login-history-db-url': 'mysql://login_history:${uriComponent(loginHistoryDbPassword)}${mysql}/login_history_db'
  'subscriptions-db-url': 'mysql://subscriptions:${uriComponent(subscriptionsDbPassword)}${mysql}/subscriptions_db'
  'payments-db-url': 'mysql://payments:${uriComponent(paymentsDbPassword)}${mysql}/payments_db'
  'signing-key': signingKey
  'operator-key': operatorKey
  'neo4j-password': neo4jPassword
  'omdb-api-key': omdbApiKey
  'paypal-client-secret': paypalClientSecret
  'smtp-url': smtpUrl
  'mysql-admin-url': 'mysql://${mysqlAdmin}:${uriComponent(mysqlAdminPassword)}${mysql}'
  'mysql-admin-password': mysqlAdminPassword
  'logins-db-password': loginsDbPassword
  'login-history-db-password': loginHistoryDbPassword
  'subscriptions-db-password': subscriptionsDbPassword
  'payments-db-password': paymentsDbPassword
}

resource secret 'Microsoft.KeyVault/vaults/secrets@2026-02-01' = [for name in apiSecrets: {
  parent: vault
  name: name
  properties: { value: values[name], contentType: 'text/plain' }
}]

// What the migrations job needs: the administrator, and the passwords it gives the four users.
var migrationSecrets = [
  'mysql-admin-url'
  'mysql-admin-password'
  'logins-db-password'
  'login-history-db-password'
  'subscriptions-db-password'
  'payments-db-password'
]

resource migrationSecret 'Microsoft.KeyVault/vaults/secrets@2026-02-01' = [for name in migrationSecrets: {
  parent: vault
  name: name
  properties: { value: values[name], contentType: 'text/plain' }
}]

// A role a secret: the encoder can read the catalogue's address and nothing else.
resource apiReads 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (name, index) in apiSecrets: {
  name: guid(vault.id, name, apiPrincipalId)
  scope: secret[index]
  properties: {
    principalId: apiPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsUser)
  }
}]

resource encoderReads 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, 'mongo-url', encoderPrincipalId)
  scope: secret[0]
  properties: {
    principalId: encoderPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsUser)
  }
}

resource migrationsRead 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (name, index) in migrationSecrets: {
  name: guid(vault.id, name, migrationsPrincipalId)
  scope: migrationSecret[index]
  properties: {
    principalId: migrationsPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsUser)
  }
}]

resource deployerReads 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(deployerPrincipalId)) {
  name: guid(vault.id, deployerPrincipalId, secretsUser)
  scope: vault
  properties: {
    principalId: deployerPrincipalId
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsUser)
  }
}

resource audit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-log-analytics'
  scope: vault
  properties: { workspaceId: workspaceId, logs: [ { categoryGroup: 'audit', enabled: true } ] }
}

output name string = vault.name
output uri string = vault.properties.vaultUri
