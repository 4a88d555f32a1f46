// Three identities, so that each process has only the permissions that it needs.
param location string
param tags object
@minLength(3)
param token string

resource api 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-api-${token}'
  location: location
  tags: tags
}

resource encoder 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-encoder-${token}'
  location: location
  tags: tags
}

resource migrations 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-migrations-${token}'
  location: location
  tags: tags
}

output apiId string = api.id
output apiClientId string = api.properties.clientId
output apiPrincipalId string = api.properties.principalId
output encoderId string = encoder.id
output encoderClientId string = encoder.properties.clientId
output encoderPrincipalId string = encoder.properties.principalId
output migrationsId string = migrations.id
output migrationsPrincipalId string = migrations.properties.principalId
