// One network: the apps' subnets, MySQL's own subnet, and one for private endpoints. Nothing in it has a public address.
param location string
param tags object
param token string

var endpoints = [ { service: 'Microsoft.AzureCosmosDB' }, { service: 'Microsoft.Storage' }, { service: 'Microsoft.KeyVault' } ]

resource closed 'Microsoft.Network/networkSecurityGroups@2025-09-01' = {
  name: 'nsg-${token}'
  location: location
  tags: tags
  properties: {
    securityRules: [
      {
        name: 'nothing-from-the-internet'
        properties: {
          priority: 4000
          direction: 'Inbound'
          access: 'Deny'
          protocol: '*'
          sourceAddressPrefix: 'Internet'
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRange: '*'
        }
      }
    ]
  }
}

resource network 'Microsoft.Network/virtualNetworks@2025-09-01' = {
  name: 'vnet-${token}'
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: [ '10.20.0.0/16' ] }
    subnets: [
      {
        name: 'api'
        properties: {
          addressPrefix: '10.20.0.0/24'
          networkSecurityGroup: { id: closed.id }
          serviceEndpoints: endpoints
          delegations: [ { name: 'flex', properties: { serviceName: 'Microsoft.App/environments' } } ]
        }
      }
      {
        name: 'containers'
        properties: {
          addressPrefix: '10.20.2.0/23'
          networkSecurityGroup: { id: closed.id }
          serviceEndpoints: endpoints
          delegations: [ { name: 'containers', properties: { serviceName: 'Microsoft.App/environments' } } ]
        }
      }
      {
        name: 'mysql'
        properties: {
          addressPrefix: '10.20.4.0/27'
          networkSecurityGroup: { id: closed.id }
          delegations: [ { name: 'mysql', properties: { serviceName: 'Microsoft.DBforMySQL/flexibleServers' } } ]
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: '10.20.4.32/27'
          networkSecurityGroup: { id: closed.id }
          privateEndpointNetworkPolicies: 'Enabled'
        }
      }
    ]
  }
}

output networkId string = network.id
output apiSubnetId string = '${network.id}/subnets/api'
output containersSubnetId string = '${network.id}/subnets/containers'
output mysqlSubnetId string = '${network.id}/subnets/mysql'
output endpointsSubnetId string = '${network.id}/subnets/endpoints'
