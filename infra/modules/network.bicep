// The network of the profile `standard`: a subnet for each app, one for MySQL and one for private endpoints. The
// subnets of the apps have no service endpoints, because Flex Consumption does not support them
// (infra/checks/refusals.toml, flex-service-endpoints). Since API version 2025-07-01, new subnets have no outbound
// access by default; delegated subnets are not affected (techcommunity ba-p/4513778).
param location string
param tags object
@minLength(3)
param token string

resource closed 'Microsoft.Network/networkSecurityGroups@2026-03-01' = {
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

resource network 'Microsoft.Network/virtualNetworks@2026-03-01' = {
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
          delegations: [ { name: 'flex', properties: { serviceName: 'Microsoft.App/environments' } } ]
        }
      }
      {
        name: 'containers'
        properties: {
          addressPrefix: '10.20.2.0/23'
          networkSecurityGroup: { id: closed.id }
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
