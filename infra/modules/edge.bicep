// Front Door in front of site, API and storage: one host, so no request is cross-origin, not even an upload. Films are
// cached by the whole query string, because a cache that ignored the SAS would serve paid segments to anyone. Front Door
// does not read the SAS, so a cached segment could be read with an expired SAS; segments are therefore cached for five
// minutes only (docs/decisions/0037-a-cdn-verifies-tokens-and-storage-the-sas.md). Storage is under /blobs, because a
// pattern may have its wildcard only after a slash; Front Door removes that prefix. Text is compressed; compression
// would not make films smaller.
param tags object
@minLength(3)
param token string
@description('Custom domain such as films.example.org; if empty, Front Door\'s own name is used.')
param domain string
param apiHost string
param siteHost string
param blobHost string
param workspaceId string

var parts = [
  { name: 'site', host: siteHost, patterns: [ '/*' ], cached: true, path: null }
  { name: 'films', host: blobHost, patterns: [ '/blobs/*' ], cached: true, path: '/' }
  { name: 'api', host: apiHost, patterns: [ '/api/*' ], cached: false, path: null }
]

var compressed = [
  'text/html'
  'text/css'
  'text/javascript'
  'text/vtt'
  'application/javascript'
  'application/json'
  'application/dash+xml'
  'application/vnd.apple.mpegurl'
  'image/svg+xml'
]

// The security headers of the site, which static website hosting cannot send; a rule has at most five actions.
var headers = loadJsonContent('../site_headers.json')
var actionsPerRule = 5
var headerRules = [ 0, 1 ]

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

// Front Door provides the certificate, and issues it once the domain's DNS records exist (docs/azure.md).
resource custom 'Microsoft.Cdn/profiles/customDomains@2025-12-01' = if (!empty(domain)) {
  parent: profile
  name: replace(empty(domain) ? 'none' : domain, '.', '-')
  properties: {
    hostName: domain
    tlsSettings: { certificateType: 'ManagedCertificate', minimumTlsVersion: 'TLS12' }
  }
}

// A rate limit per client address; managed rule sets need the Premium tier, which costs ten times as much.
resource firewall 'Microsoft.Network/FrontDoorWebApplicationFirewallPolicies@2025-11-01' = {
  name: 'waf${token}'
  location: 'global'
  tags: tags
  sku: { name: 'Standard_AzureFrontDoor' }
  properties: {
    policySettings: { enabledState: 'Enabled', mode: 'Prevention' }
    customRules: {
      rules: [
        {
          name: 'TooManyCalls'
          priority: 100
          enabledState: 'Enabled'
          ruleType: 'RateLimitRule'
          rateLimitDurationInMinutes: 1
          rateLimitThreshold: 1200
          action: 'Block'
          matchConditions: [
            { matchVariable: 'RequestUri', operator: 'Contains', matchValue: [ '/api/' ], negateCondition: false }
          ]
        }
      ]
    }
  }
}

resource guarded 'Microsoft.Cdn/profiles/securityPolicies@2025-12-01' = {
  parent: profile
  name: 'rate-limit'
  properties: {
    parameters: {
      type: 'WebApplicationFirewall'
      wafPolicy: { id: firewall.id }
      associations: [
        {
          domains: concat([ { id: endpoint.id } ], empty(domain) ? [] : [ { id: custom.id } ])
          patternsToMatch: [ '/*' ]
        }
      ]
    }
  }
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

resource ruleSet 'Microsoft.Cdn/profiles/ruleSets@2025-12-01' = {
  parent: profile
  name: 'securityheaders' // letters and digits only
}

// A segment never changes, and its header allows caches to keep it for a year. The edge may serve it for up to
// `cacheDuration` after the SAS in its cache key has expired. Manifests are not cached, because they have other
// extensions.
resource filmRules 'Microsoft.Cdn/profiles/ruleSets@2025-12-01' = {
  parent: profile
  name: 'films'
}

resource segmentRule 'Microsoft.Cdn/profiles/ruleSets/rules@2025-12-01' = {
  parent: filmRules
  name: 'segments'
  properties: {
    order: 1
    conditions: [
      {
        name: 'UrlFileExtension'
        parameters: {
          typeName: 'DeliveryRuleUrlFileExtensionMatchConditionParameters'
          operator: 'Equal'
          matchValues: [ 'm4s', 'mp4', 'vtt', 'jpg' ]
          transforms: [ 'Lowercase' ]
          negateCondition: false
        }
      }
    ]
    matchProcessingBehavior: 'Continue'
    actions: [
      {
        name: 'RouteConfigurationOverride'
        parameters: {
          typeName: 'DeliveryRuleRouteConfigurationOverrideActionParameters'
          cacheConfiguration: {
            queryStringCachingBehavior: 'UseQueryString'
            cacheBehavior: 'OverrideAlways'
            cacheDuration: '00:05:00'
            isCompressionEnabled: 'Disabled'
          }
        }
      }
    ]
  }
}

resource rule 'Microsoft.Cdn/profiles/ruleSets/rules@2025-12-01' = [for number in headerRules: {
  parent: ruleSet
  name: 'headers${number}'
  properties: {
    order: number + 1
    conditions: []
    matchProcessingBehavior: 'Continue'
    actions: [for header in take(skip(headers, number * actionsPerRule), actionsPerRule): {
      name: 'ModifyResponseHeader'
      parameters: {
        typeName: 'DeliveryRuleHeaderActionParameters'
        headerAction: 'Overwrite'
        headerName: header.name
        value: header.value
      }
    }]
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
    customDomains: empty(domain) ? [] : [ { id: custom.id } ]
    // the API sends its own headers
    ruleSets: part.cached ? concat([ { id: ruleSet.id } ], part.name == 'films' ? [ { id: filmRules.id } ] : []) : []
    cacheConfiguration: part.cached ? {
      queryStringCachingBehavior: 'UseQueryString'
      compressionSettings: { isCompressionEnabled: true, contentTypesToCompress: compressed }
    } : null
  }
  dependsOn: [ origin, rule, segmentRule ]
}]

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-log-analytics'
  scope: profile
  properties: {
    workspaceId: workspaceId
    logs: [ { category: 'FrontDoorHealthProbeLog', enabled: true } ] // access logs would contain every SAS
    metrics: [ { category: 'AllMetrics', enabled: true } ]
  }
}

output id string = profile.properties.frontDoorId
output host string = empty(domain) ? endpoint.properties.hostName : domain
output endpoint string = endpoint.properties.hostName
