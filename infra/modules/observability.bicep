// The destination of traces, metrics and logs, the right to send them, the alerts, and the workbook.
param location string
param tags object
@minLength(3)
param token string
param alertEmail string
@description('Create one alert rule instead of many, which costs less.')
param oneAlert bool
@description('Principals that may send telemetry.')
param readers array

var metricsPublisher = '3913510d-42f4-4e42-8a64-420c390055eb'

resource workspace 'Microsoft.OperationalInsights/workspaces@2026-03-01' = {
  name: 'log-${token}'
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: 30
    workspaceCapping: { dailyQuotaGb: json('1') }
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: 'appi-${token}'
  location: location
  tags: tags
  kind: 'web'
  properties: { Application_Type: 'web', WorkspaceResourceId: workspace.id, DisableLocalAuth: true }
}

resource publishes 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for principal in readers: {
  name: guid(insights.id, principal, metricsPublisher)
  scope: insights
  properties: {
    principalId: principal
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', metricsPublisher)
  }
}]

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-${token}'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'notflix'
    enabled: true
    emailReceivers: [ { name: 'owner', emailAddress: alertEmail, useCommonAlertSchema: true } ]
  }
}

// docs/azure.md describes what to do about each alert, under the name given here.
var alerts = [
  {
    name: 'a-queue-waits'
    text: 'The oldest message of a queue has waited for more than ten minutes.'
    query: 'AppMetrics | where Name == "notflix.queue.age_s" | summarize age = max(Max) by bin(TimeGenerated, 5m) | where age > 600'
    severity: 2
  }
  {
    name: 'no-encoder'
    text: 'Work has waited for the encoder for three minutes, and no encoder has done anything in the last half hour.'
    query: 'AppMetrics | where Name == "notflix.queue.age_s" and tostring(Properties.queue) in ("plan-encode", "prepare-encode", "encode-front", "encode-chunk", "encode-audio", "encode-av1", "encode-renditions", "find-intros", "make-captions", "publish-title") | where TimeGenerated > ago(10m) and Max > 180 | where toscalar(AppRequests | where AppRoleName == "encoder" | count) == 0'
    severity: 1
  }
  {
    name: 'a-message-is-poison'
    text: 'A message failed five times and was given up.'
    query: 'AppRequests | where Name contains "_poison"'
    severity: 2
  }
  {
    name: 'a-job-failed'
    text: 'An encode job has failed; the job has the reason.'
    query: 'AppMetrics | where Name == "notflix.job.failed"'
    severity: 2
  }
  {
    name: 'answers-fail'
    text: 'More than two of a hundred requests of the last quarter of an hour were answered 5xx.'
    query: 'AppRequests | where TimeGenerated > ago(15m) and isnotempty(ResultCode) | summarize failed = sumif(ItemCount, toint(ResultCode) >= 500), all = sum(ItemCount) | where all > 20 and failed * 100 > all * 2'
    severity: 1
  }
  {
    name: 'api-is-silent'
    text: 'The API app has measured no queue for half an hour, so its timers do not run.'
    query: 'AppMetrics | where Name == "notflix.queue.age_s" | count | where Count == 0'
    severity: 1
  }
  {
    name: 'webhooks-lag'
    text: 'An event of PayPal waited for more than five minutes before it was acted on.'
    query: 'AppMetrics | where Name == "notflix.webhook.lag_s" | where Max >= 300'
    severity: 1
  }
  {
    name: 'viewers-wait'
    text: 'Half of the films started in the last quarter of an hour took more than four seconds to their first picture.'
    query: 'AppMetrics | where Name == "notflix.playback.startup_s" and TimeGenerated > ago(15m) | summarize half = percentile(Sum / ItemCount, 50) | where half > 4'
    severity: 3
  }
]

// A new workspace has no tables yet. A query over a missing table is rejected unless validation is skipped, and a rule
// whose query fails for a week is disabled. So each query is one leg of a fuzzy union, which omits legs that cannot be
// resolved. At least one leg must be resolvable; the empty table is that leg.
var each = [for item in alerts: 'union isfuzzy=true (datatable(alert: string)[]), (${item.query})']
var legs = [for item in alerts: '(${item.query} | summarize rows = count() | where rows > 0 | project alert = "${item.name}")']
var together = 'union isfuzzy=true (datatable(alert: string)[]), ${join(legs, ', ')}'

resource alert 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = [for (item, index) in alerts: if (!oneAlert) {
  name: '${item.name}-${token}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: item.name
    description: item.text
    severity: item.severity
    enabled: true
    scopes: [ workspace.id ]
    skipQueryValidation: true
    evaluationFrequency: item.severity < 2 ? 'PT5M' : 'PT15M'
    windowSize: 'PT30M'
    criteria: {
      allOf: [
        {
          query: each[index]
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
        }
      ]
    }
    autoMitigate: true
    actions: { actionGroups: [ people.id ] }
  }
}]

// All alerts are in one rule, because each rule has a monthly price. The rule runs every quarter of an hour, and its
// results name the alert.
resource all 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = if (oneAlert) {
  name: 'something-is-wrong-${token}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'something-is-wrong'
    description: 'One or more of the alerts of docs/azure.md; the search results of this one name them.'
    severity: 1
    enabled: true
    scopes: [ workspace.id ]
    skipQueryValidation: true
    evaluationFrequency: 'PT15M'
    windowSize: 'PT30M'
    criteria: {
      allOf: [
        {
          query: together
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
        }
      ]
    }
    autoMitigate: true
    actions: { actionGroups: [ people.id ] }
  }
}

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'notflix')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Notflix'
    category: 'workbook'
    sourceId: workspace.id
    serializedData: loadTextContent('../workbook.json')
  }
}

output actionGroupId string = people.id
output insightsId string = insights.id
output workspaceId string = workspace.id
output workspaceName string = workspace.name
output connectionString string = insights.properties.ConnectionString
