// The subscription that sends blob events to the API app. `./notflix azure deployed` deploys it once the app runs,
// because the key of the blob extension does not exist before. Events that cannot be delivered are written to a
// container, with the identity of the topic.
param apiName string
param topicName string
param storageName string

resource app 'Microsoft.Web/sites@2025-03-01' existing = {
  name: apiName
}

resource account 'Microsoft.Storage/storageAccounts@2026-04-01' existing = {
  name: storageName
}

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: topicName
}

var hooks = 'https://${app.properties.defaultHostName}/runtime/webhooks/blobs'
var key = listKeys('${app.id}/host/default', '2025-03-01').systemKeys.blobs_extension

resource uploads 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: 'uploads'
  properties: {
    eventDeliverySchema: 'EventGridSchema'
    destination: {
      endpointType: 'WebHook'
      properties: { endpointUrl: '${hooks}?functionName=Host.Functions.start_title&code=${key}', maxEventsPerBatch: 1 }
    }
    filter: {
      includedEventTypes: [ 'Microsoft.Storage.BlobCreated' ]
      subjectBeginsWith: '/blobServices/default/containers/uploads/'
    }
    retryPolicy: { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 }
    deadLetterWithResourceIdentity: {
      identity: { type: 'SystemAssigned' }
      deadLetterDestination: {
        endpointType: 'StorageBlob'
        properties: { resourceId: account.id, blobContainerName: 'dead-events' }
      }
    }
  }
}
