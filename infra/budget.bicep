// A budget sends early warnings by email; it stops nothing. It is not part of main.bicep, because Azure rejects it on a
// subscription younger than 48 hours, so the whole deployment would fail. `./notflix azure deployed` deploys it each
// time (refusals.toml, budget-on-new-subscription).
param amount int
param startDate string
param email string

resource budget 'Microsoft.Consumption/budgets@2026-06-01' = {
  name: 'monthly'
  properties: {
    category: 'Cost'
    amount: amount
    timeGrain: 'Monthly'
    timePeriod: { startDate: startDate }
    notifications: {
      half: { enabled: true, operator: 'GreaterThan', threshold: 50, thresholdType: 'Actual', contactEmails: [ email ] }
      foreseen: { enabled: true, operator: 'GreaterThan', threshold: 100, thresholdType: 'Forecasted', contactEmails: [ email ] }
      reached: { enabled: true, operator: 'GreaterThan', threshold: 100, thresholdType: 'Actual', contactEmails: [ email ] }
    }
  }
}
