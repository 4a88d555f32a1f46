// Calls the API from outside every ten minutes, to detect a total outage, which none of our logs could report.
param location string
param tags object
@minLength(3)
param token string
param insightsId string
param actionGroupId string
param apiUrl string

resource test 'Microsoft.Insights/webtests@2022-06-15' = {
  name: 'titles-${token}'
  location: location
  tags: union(tags, { 'hidden-link:${insightsId}': 'Resource' })
  kind: 'standard'
  properties: {
    SyntheticMonitorId: 'titles-${token}'
    Name: 'titles'
    Enabled: true
    Frequency: 600
    Timeout: 60 // long enough for a cold start
    Kind: 'standard'
    RetryEnabled: true
    Locations: [ { Id: 'emea-nl-ams-azr' } ]
    Request: { RequestUrl: '${apiUrl}/api/titles?limit=1', HttpVerb: 'GET' }
    ValidationRules: { ExpectedHttpStatusCode: 200, SSLCheck: true, SSLCertRemainingLifetimeCheck: 7 }
  }
}

resource down 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'service-is-down-${token}'
  location: 'global'
  tags: tags
  properties: {
    description: 'The API did not answer a list of titles from outside.'
    severity: 0
    enabled: true
    scopes: [ test.id, insightsId ]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT30M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.WebtestLocationAvailabilityCriteria'
      webTestId: test.id
      componentId: insightsId
      failedLocationCount: 1
    }
    autoMitigate: true
    actions: [ { actionGroupId: actionGroupId } ]
  }
}
