// All secrets of the product; each can be read only by the identities that need it.
//
// Secrets that a person or `./notflix azure prepare` passes are written; all others remain unchanged. So a later
// deployment needs no secret, changes none, and reads none. Each loop iterates over names that are listed in this file:
// a loop whose length depends on a secure parameter would hide this module from what-if (infra/checks/refusals.toml,
// loop-over-secure).
param location string
param tags object
@minLength(3)
param token string
param workspaceId string
param apiPrincipalId string
param encoderPrincipalId string
param migrationsPrincipalId string
param deployerPrincipalId string
@allowed([ 'User', 'ServicePrincipal' ])
param deployerPrincipalType string
@description('Comma-separated names of the generated secrets to write; the others are already in the vault.')
param generatedNow string
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
param auditDbPassword string
@secure()
param subscriptionsDbPassword string
@secure()
param paymentsDbPassword string
@secure()
param signingKey string
@secure()
param secondFactorKeys string
@secure()
param filmKeys string
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
@secure()
param cdnTokenKey string

var secretsUser = '4633458b-17de-408a-b874-0445c86b69e6'

resource mongo 'Microsoft.DocumentDB/databaseAccounts@2026-03-15' existing = {
  name: mongoName
}

resource redis 'Microsoft.Cache/redisEnterprise@2025-07-01' existing = {
  name: redisName

  resource database 'databases' existing = {
    name: 'default'
  }
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
    publicNetworkAccess: 'Enabled' // the owner's machine reads the operator key; every caller needs a role
  }
}

// Connection strings of stores whose keys the template can read. Every deployment writes them, so that a regenerated
// key takes effect.
var storeSecrets = [ 'mongo-url', 'redis-url' ]
var ofStores = {
  'mongo-url': mongo.listConnectionStrings().connectionStrings[0].connectionString
  'redis-url': 'rediss://:${uriComponent(redis::database.listKeys().primaryKey)}@${redis.properties.hostName}:10000/0'
}

resource storeSecret 'Microsoft.KeyVault/vaults/secrets@2026-02-01' = [for name in storeSecrets: {
  parent: vault
  name: name
  properties: { value: ofStores[name], contentType: 'text/plain' }
}]

// Generated secrets. The API reads the first list, the migrations job reads the second.
var apiSecrets = [
  'signing-key'
  'second-factor-keys'
  'film-keys'
  'operator-key'
  'logins-db-url'
  'login-history-db-url'
  'audit-db-url'
  'subscriptions-db-url'
  'payments-db-url'
]
var migrationSecrets = [
  'mysql-admin-url'
  'logins-db-password'
  'login-history-db-password'
  'audit-db-password'
  'subscriptions-db-password'
  'payments-db-password'
]
// The generated secret from which each vault secret is derived.
var source = {
  'signing-key': 'signing-key'
  'second-factor-keys': 'second-factor-keys'
  'film-keys': 'film-keys'
  'operator-key': 'operator-key'
  'logins-db-url': 'logins-db-password'
  'login-history-db-url': 'login-history-db-password'
  'audit-db-url': 'audit-db-password'
  'subscriptions-db-url': 'subscriptions-db-password'
  'payments-db-url': 'payments-db-password'
  'mysql-admin-url': 'mysql-admin-password'
  'logins-db-password': 'logins-db-password'
  'login-history-db-password': 'login-history-db-password'
  'audit-db-password': 'audit-db-password'
  'subscriptions-db-password': 'subscriptions-db-password'
  'payments-db-password': 'payments-db-password'
}
var mysql = '@${mysqlHost}:3306'
var generated = {
  'signing-key': signingKey
  'second-factor-keys': secondFactorKeys
  'film-keys': filmKeys
  'operator-key': operatorKey
  'logins-db-url': 'mysql://logins:${uriComponent(loginsDbPassword)}${mysql}/logins_db'
  'login-history-db-url': 'mysql://login_history:${uriComponent(loginHistoryDbPassword)}${mysql}/login_history_db'
  'audit-db-url': 'mysql://audit:${uriComponent(auditDbPassword)}${mysql}/audit_db'
  'subscriptions-db-url': 'mysql://subscriptions:${uriComponent(subscriptionsDbPassword)}${mysql}/subscriptions_db'
  'payments-db-url': 'mysql://payments:${uriComponent(paymentsDbPassword)}${mysql}/payments_db'
  'mysql-admin-url': 'mysql://${mysqlAdmin}:${uriComponent(mysqlAdminPassword)}${mysql}'
  'logins-db-password': loginsDbPassword
  'login-history-db-password': loginHistoryDbPassword
  'audit-db-password': auditDbPassword
  'subscriptions-db-password': subscriptionsDbPassword
  'payments-db-password': paymentsDbPassword
}
var written = split(generatedNow, ',')

resource apiSecret 'Microsoft.KeyVault/vaults/secrets@2026-02-01' = [for name in apiSecrets: if (contains(written, source[name])) {
  parent: vault
  name: name
  properties: { value: generated[name], contentType: 'text/plain' }
}]

resource migrationSecret 'Microsoft.KeyVault/vaults/secrets@2026-02-01' = [for name in migrationSecrets: if (contains(written, source[name])) {
  parent: vault
  name: name
  properties: { value: generated[name], contentType: 'text/plain' }
}]

// Secrets of other services. A vault rejects empty secrets, so a secret that was not passed is not created.
resource neo4jSecret 'Microsoft.KeyVault/vaults/secrets@2026-02-01' = if (!empty(neo4jPassword)) {
  //checkov:skip=CKV_AZURE_114:the secret does have a content type, but the check does not recognize it on a conditional resource
  parent: vault
  name: 'neo4j-password'
  properties: { value: neo4jPassword, contentType: 'text/plain' }
}

resource omdbSecret 'Microsoft.KeyVault/vaults/secrets@2026-02-01' = if (!empty(omdbApiKey)) {
  //checkov:skip=CKV_AZURE_114:the secret does have a content type, but the check does not recognize it on a conditional resource
  parent: vault
  name: 'omdb-api-key'
  properties: { value: omdbApiKey, contentType: 'text/plain' }
}

resource paypalSecret 'Microsoft.KeyVault/vaults/secrets@2026-02-01' = if (!empty(paypalClientSecret)) {
  //checkov:skip=CKV_AZURE_114:the secret does have a content type, but the check does not recognize it on a conditional resource
  parent: vault
  name: 'paypal-client-secret'
  properties: { value: paypalClientSecret, contentType: 'text/plain' }
}

resource smtpSecret 'Microsoft.KeyVault/vaults/secrets@2026-02-01' = if (!empty(smtpUrl)) {
  //checkov:skip=CKV_AZURE_114:the secret does have a content type, but the check does not recognize it on a conditional resource
  parent: vault
  name: 'smtp-url'
  properties: { value: smtpUrl, contentType: 'text/plain' }
}

resource cdnSecret 'Microsoft.KeyVault/vaults/secrets@2026-02-01' = if (!empty(cdnTokenKey)) {
  //checkov:skip=CKV_AZURE_114:the secret does have a content type, but the check does not recognize it on a conditional resource
  parent: vault
  name: 'cdn-token-key'
  properties: { value: cdnTokenKey, contentType: 'text/plain' }
}

// One role assignment per secret: the encoder can read the URL of the catalogue database and the keys of films, and
// nothing else.
resource apiReadsStores 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (name, index) in storeSecrets: {
  name: guid(vault.id, name, apiPrincipalId)
  scope: storeSecret[index]
  properties: {
    principalId: apiPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsUser)
  }
}]

resource apiReads 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (name, index) in apiSecrets: {
  name: guid(vault.id, name, apiPrincipalId)
  scope: apiSecret[index]
  properties: {
    principalId: apiPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsUser)
  }
}]

resource apiReadsNeo4j 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(neo4jPassword)) {
  name: guid(vault.id, 'neo4j-password', apiPrincipalId)
  scope: neo4jSecret
  properties: {
    principalId: apiPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsUser)
  }
}

resource apiReadsOmdb 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(omdbApiKey)) {
  name: guid(vault.id, 'omdb-api-key', apiPrincipalId)
  scope: omdbSecret
  properties: {
    principalId: apiPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsUser)
  }
}

resource apiReadsPaypal 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(paypalClientSecret)) {
  name: guid(vault.id, 'paypal-client-secret', apiPrincipalId)
  scope: paypalSecret
  properties: {
    principalId: apiPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsUser)
  }
}

resource apiReadsSmtp 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(smtpUrl)) {
  name: guid(vault.id, 'smtp-url', apiPrincipalId)
  scope: smtpSecret
  properties: {
    principalId: apiPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsUser)
  }
}

resource apiReadsCdn 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(cdnTokenKey)) {
  name: guid(vault.id, 'cdn-token-key', apiPrincipalId)
  scope: cdnSecret
  properties: {
    principalId: apiPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsUser)
  }
}

resource encoderReads 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, 'mongo-url', encoderPrincipalId)
  scope: storeSecret[0]
  properties: {
    principalId: encoderPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsUser)
  }
}

resource encoderReadsFilmKeys 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, 'film-keys', encoderPrincipalId)
  scope: apiSecret[indexOf(apiSecrets, 'film-keys')]
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

// The owner administers the product with the operator key (docs/azure.md) and can read no other secret; a pipeline can
// read none.
resource ownerReads 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(deployerPrincipalId) && deployerPrincipalType == 'User') {
  name: guid(vault.id, 'operator-key', deployerPrincipalId)
  scope: apiSecret[indexOf(apiSecrets, 'operator-key')]
  properties: {
    principalId: deployerPrincipalId
    principalType: 'User'
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
