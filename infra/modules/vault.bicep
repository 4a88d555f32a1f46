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

var apiSecrets = [
  { name: 'mongo-url', value: mongo.listConnectionStrings().connectionStrings[0].connectionString }
  { name: 'redis-url', value: 'rediss://:${uriComponent(redisDatabase.listKeys().primaryKey)}@${redis.properties.hostName}:10000/0' }
  { name: 'logins-db-url', value: 'mysql://logins:${uriComponent(loginsDbPassword)}@${mysqlHost}:3306/logins_db' }
  { name: 'login-history-db-url', value: 'mysql://login_history:${uriComponent(loginHistoryDbPassword)}@${mysqlHost}:3306/login_history_db' }
  { name: 'subscriptions-db-url', value: 'mysql://subscriptions:${uriComponent(subscriptionsDbPassword)}@${mysqlHost}:3306/subscriptions_db' }
  { name: 'payments-db-url', value: 'mysql://payments:${uriComponent(paymentsDbPassword)}@${mysqlHost}:3306/payments_db' }
  { name: 'signing-key', value: signingKey }
  { name: 'operator-key', value: operatorKey }
  { name: 'neo4j-password', value: neo4jPassword }
  { name: 'omdb-api-key', value: omdbApiKey }
  { name: 'paypal-client-secret', value: paypalClientSecret }
  { name: 'smtp-url', value: smtpUrl }
]

resource secret 'Microsoft.KeyVault/vaults/secrets@2026-02-01' = [for item in apiSecrets: {
  parent: vault
  name: item.name
  properties: { value: item.value, contentType: 'text/plain' }
}]

// What the migrations job needs: the administrator, and the passwords it gives the four users.
var migrationSecrets = [
  { name: 'mysql-admin-url', value: 'mysql://${mysqlAdmin}:${uriComponent(mysqlAdminPassword)}@${mysqlHost}:3306' }
  { name: 'mysql-admin-password', value: mysqlAdminPassword }
  { name: 'logins-db-password', value: loginsDbPassword }
  { name: 'login-history-db-password', value: loginHistoryDbPassword }
  { name: 'subscriptions-db-password', value: subscriptionsDbPassword }
  { name: 'payments-db-password', value: paymentsDbPassword }
]

resource migrationSecret 'Microsoft.KeyVault/vaults/secrets@2026-02-01' = [for item in migrationSecrets: {
  parent: vault
  name: item.name
  properties: { value: item.value, contentType: 'text/plain' }
}]

// A role a secret: the encoder can read the catalogue's address and nothing else.
resource apiReads 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (item, index) in apiSecrets: {
  name: guid(vault.id, item.name, apiPrincipalId)
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

resource migrationsRead 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (item, index) in migrationSecrets: {
  name: guid(vault.id, item.name, migrationsPrincipalId)
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
