// Front Door before site, API and storage: one host, so nothing is cross-origin, uploads included. Films are cached by the
// whole query string: a cache that ignored the SAS would hand paid segments to anyone. Storage stands under /blobs, which is
// taken off again on the way, since a pattern may have its star behind a slash only.
param tags object
param token string
param apiHost string
param siteHost string
param blobHost string
param workspaceId string

var parts = [
  { name: 'site', host: siteHost, patterns: [ '/*' ], cached: true, path: null }
  { name: 'films', host: blobHost, patterns: [ '/blobs/*' ], cached: true, path: '/' }
  { name: 'api', host: apiHost, patterns: [ '/api/*' ], cached: false, path: null }
]

resource profile 'Microsoft.Cdn/profiles@2025-12-01' = {
  name: 'afd-${token}'
  location: 'global'
  tags: tags
  sku: { name: 'Standard_AzureFrontDoor' }
  properties: { originResponseTimeoutSeconds: 60 }
}

resource endpoint 'Microsoft.Cdn/profiles/afdEndpoints@2025-12-01' = {
  parent: profile
  name: 'notflix-${token}'
  location: 'global'
  tags: tags
  properties: { enabledState: 'Enabled' }
}

resource origins 'Microsoft.Cdn/profiles/originGroups@2025-12-01' = [for part in parts: {
  parent: profile
  name: part.name
  properties: {
    loadBalancingSettings: { sampleSize: 4, successfulSamplesRequired: 3 }
    sessionAffinityState: 'Disabled'
  }
}]

resource origin 'Microsoft.Cdn/profiles/originGroups/origins@2025-12-01' = [for (part, index) in parts: {
  parent: origins[index]
  name: part.name
  properties: {
    hostName: part.host
    originHostHeader: part.host
    httpsPort: 443
    enabledState: 'Enabled'
    enforceCertificateNameCheck: true
  }
}]

resource route 'Microsoft.Cdn/profiles/afdEndpoints/routes@2025-12-01' = [for (part, index) in parts: {
  parent: endpoint
  name: part.name
  properties: {
    originGroup: { id: origins[index].id }
    patternsToMatch: part.patterns
    originPath: part.path
    supportedProtocols: [ 'Https', 'Http' ]
    httpsRedirect: 'Enabled'
    forwardingProtocol: 'HttpsOnly'
    linkToDefaultDomain: 'Enabled'
    cacheConfiguration: part.cached ? { queryStringCachingBehavior: 'UseQueryString' } : null
  }
  dependsOn: [ origin ]
}]

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-log-analytics'
  scope: profile
  properties: {
    workspaceId: workspaceId
    logs: [ { category: 'FrontDoorHealthProbeLog', enabled: true } ] // access logs would hold each SAS
    metrics: [ { category: 'AllMetrics', enabled: true } ]
  }
}

output id string = profile.properties.frontDoorId
output host string = endpoint.properties.hostName
