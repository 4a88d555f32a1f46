// The encoder app, and the job that applies the SQL migrations, both with the image that was just built. Instead of
// changing the image of an existing app, azd deploys this file with encoder.parameters.json. So the app never runs a
// placeholder image, and always has these scale rules (docs/decisions/0019-the-encoder-is-a-plain-container-app.md).
//
// It is a plain Container App, not `kind: functionapp`, so the platform adds no scale rules of its own.
param location string = resourceGroup().location
param token string
param environmentName string
param environmentId string
param image string
@description('Server of the registry that contains the image; empty if the image is public.')
param registryServer string
param encoderIdentityId string
param encoderClientId string
param migrationsIdentityId string
param storageName string
param vaultUri string
param connectionString string
@description('Maximum number of encoders at once; a string, because azd inserts values as text.')
param maxEncoders string
@description('Number of waiting chunks per additional encoder; a string.')
param chunksPerEncoder string
@description('The most that encoding may cost in a calendar month, in US dollars; a string.')
param encodeLimitUsd string
@description('Further settings, such as ENCODE_PRESET=medium,MAX_DURATION_HOURS=4.')
param chosenSettings string

var tags = { 'azd-env-name': environmentName }
var databases = [
  'logins-db-password'
  'login-history-db-password'
  'audit-db-password'
  'subscriptions-db-password'
  'payments-db-password'
]
var pairs = empty(chosenSettings) ? [] : split(chosenSettings, ',')
var chosen = [for pair in pairs: { name: split(pair, '=')[0], value: split(pair, '=')[1] }]

// One rule for each queue that encoder_app.py listens on, without dead letters: only a running encoder writes those, and
// it handles them itself. tests/unit/azure/test_scale.py compares the two. A rule polls its queue all month, so AV1,
// automatic captions and renditions on demand have one only if the owner has chosen them.
var queues = [
  { name: 'plan-encode', length: 1 }
  { name: 'prepare-encode', length: 1 }
  { name: 'encode-front', length: 2 }
  { name: 'encode-chunk', length: int(chunksPerEncoder) } // it has a message for each chunk that is left
  { name: 'encode-audio', length: int(chunksPerEncoder) }
  { name: 'find-intros', length: 64 } // it has a message for each episode of a season, and each takes seconds
  { name: 'publish-title', length: 16 }
]
var av1 = { name: 'encode-av1', length: int(chunksPerEncoder) }
var captions = { name: 'make-captions', length: int(chunksPerEncoder) }
var onDemand = { name: 'encode-renditions', length: int(chunksPerEncoder) }
var alsoAv1 = contains(chosenSettings, 'ENCODE_AV1=') ? concat(queues, [ av1 ]) : queues
var alsoCaptions = contains(chosenSettings, 'AUTOMATIC_CAPTIONS=') ? concat(alsoAv1, [ captions ]) : alsoAv1
var polled = contains(chosenSettings, 'ENCODE_RENDITIONS=') ? concat(alsoCaptions, [ onDemand ]) : alsoCaptions

resource app 'Microsoft.App/containerApps@2026-01-01' = {
  name: 'ca-encoder-${token}'
  location: location
  tags: union(tags, { 'azd-service-name': 'encoder' })
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${encoderIdentityId}': {} } }
  properties: {
    environmentId: environmentId
    workloadProfileName: 'Consumption'
    configuration: {
      activeRevisionsMode: 'Single'
      registries: empty(registryServer) ? [] : [ { server: registryServer, identity: encoderIdentityId } ]
      secrets: [for name in [ 'mongo-url', 'film-keys' ]: {
        name: name
        keyVaultUrl: '${vaultUri}secrets/${name}'
        identity: encoderIdentityId
      }]
    }
    template: {
      terminationGracePeriodSeconds: 600 // the maximum; some replicas are reportedly killed after a minute
      containers: [
        {
          name: 'encoder'
          image: image
          resources: { cpu: json('4'), memory: '8Gi' }
          env: concat([
            { name: 'FUNCTIONS_WORKER_RUNTIME', value: 'python' }
            // One message for each function at a time: a thread for each of the eleven functions with a queue (two of them
            // have the same queue), and one for their dead letters.
            // Chunks and whole tracks have a low priority, so plans and first pictures do not wait for them
            // (docs/decisions/0028-messages-for-chunks-name-no-chunk.md).
            { name: 'PYTHON_THREADPOOL_THREAD_COUNT', value: '12' }
            // the same for all replicas; otherwise each container would act as a separate host
            { name: 'AzureFunctionsWebHost__hostid', value: 'encoder' }
            { name: 'AzureWebJobsStorage__accountName', value: storageName }
            { name: 'AzureWebJobsStorage__credential', value: 'managedidentity' }
            { name: 'AzureWebJobsStorage__clientId', value: encoderClientId }
            { name: 'AZURE_CLIENT_ID', value: encoderClientId }
            { name: 'APPLICATIONINSIGHTS_CONNECTION_STRING', value: connectionString }
            { name: 'APPLICATIONINSIGHTS_AUTHENTICATION_STRING', value: 'ClientId=${encoderClientId};Authorization=AAD' }
            { name: 'OTEL_SERVICE_NAME', value: 'encoder' }
            { name: 'ENCODE_MONTHLY_LIMIT_USD', value: encodeLimitUsd }
            { name: 'MONGO_URL', secretRef: 'mongo-url' }
            { name: 'FILM_KEYS', secretRef: 'film-keys' }
          ], chosen)
        }
      ]
      scale: {
        minReplicas: 0
        maxReplicas: int(maxEncoders)
        pollingInterval: 24
        cooldownPeriod: 60
        rules: [for queue in polled: {
          name: queue.name
          azureQueue: {
            accountName: storageName
            queueName: queue.name
            queueLength: queue.length
            identity: encoderIdentityId
          }
        }]
      }
    }
  }
}

resource migrations 'Microsoft.App/jobs@2026-01-01' = {
  name: 'migrations-${token}'
  location: location
  tags: tags
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${migrationsIdentityId}': {} } }
  properties: {
    environmentId: environmentId
    workloadProfileName: 'Consumption'
    configuration: {
      triggerType: 'Manual'
      replicaTimeout: 900
      replicaRetryLimit: 0 // no retry: a failed migration reports its progress, and a person must look first
      manualTriggerConfig: { parallelism: 1, replicaCompletionCount: 1 }
      registries: empty(registryServer) ? [] : [ { server: registryServer, identity: migrationsIdentityId } ]
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
          image: image
          command: [ 'python', '-m', 'infra.migrations' ]
          resources: { cpu: json('0.5'), memory: '1Gi' }
          env: [
            { name: 'MYSQL_CA', value: 'system' }
            { name: 'MYSQL_ADMIN_URL', secretRef: 'mysql-admin-url' }
            { name: 'LOGINS_DB_PASSWORD', secretRef: 'logins-db-password' }
            { name: 'LOGIN_HISTORY_DB_PASSWORD', secretRef: 'login-history-db-password' }
            { name: 'AUDIT_DB_PASSWORD', secretRef: 'audit-db-password' }
            { name: 'SUBSCRIPTIONS_DB_PASSWORD', secretRef: 'subscriptions-db-password' }
            { name: 'PAYMENTS_DB_PASSWORD', secretRef: 'payments-db-password' }
          ]
        }
      ]
    }
  }
}

output NOTFLIX_MIGRATIONS_JOB string = migrations.name
