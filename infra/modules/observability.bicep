// Where traces, metrics and logs go, who may send them, what wakes a person, and the workbook that shows it all.
param location string
param tags object
param token string
param alertEmail string
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

// What to do at each of them stands in docs/azure.md, by the name given here.
var alerts = [
  {
    name: 'a-queue-waits'
    text: 'The oldest message of a queue has waited for more than ten minutes.'
    query: 'AppMetrics | where Name == "notflix.queue.age_s" | summarize age = max(Max) by bin(TimeGenerated, 5m) | where age > 600'
    severity: 2
  }
  {
    name: 'a-job-failed'
    text: 'An encode job has failed; its reason stands under its job.'
    query: 'AppMetrics | where Name == "notflix.job.failed"'
    severity: 2
  }
  {
    name: 'answers-fail'
    text: 'More than two of a hundred requests of the last quarter of an hour were answered 5xx.'
    query: 'AppRequests | summarize failed = countif(toint(ResultCode) >= 500), all = count() by bin(TimeGenerated, 15m) | where all > 20 and failed * 100 > all * 2'
    severity: 1
  }
  {
    name: 'webhooks-lag'
    text: 'An event of PayPal waited for more than five minutes until it was acted on.'
    query: 'AppMetrics | where Name == "notflix.webhook.lag_s" | where Max >= 300'
    severity: 1
  }
  {
    name: 'viewers-wait'
    text: 'Half of the films started in the last quarter of an hour took more than four seconds to their first picture.'
    query: 'AppMetrics | where Name == "notflix.playback.startup_s" | summarize half = percentile(Sum / ItemCount, 50) by bin(TimeGenerated, 15m) | where half > 4'
    severity: 3
  }
]

resource alert 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [for item in alerts: {
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
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    criteria: { allOf: [ { query: item.query, timeAggregation: 'Count', operator: 'GreaterThan', threshold: 0 } ] }
    autoMitigate: true
    actions: { actionGroups: [ people.id ] }
  }
}]

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

output workspaceId string = workspace.id
output workspaceName string = workspace.name
output connectionString string = insights.properties.ConnectionString
