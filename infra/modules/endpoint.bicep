// A private endpoint, which makes one store reachable inside the network under its usual name.
param location string
param tags object
param name string
@description('Resource id of the store.')
param targetId string
@description('Interface of the store, such as redisEnterprise, MongoDB or Sql.')
param groupId string
@description('Private DNS zone of that interface.')
param zoneName string
param subnetId string
param networkId string

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = {
  name: zoneName
  location: 'global'
  tags: tags
}

resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = {
  parent: zone
  name: 'network'
  location: 'global'
  properties: { registrationEnabled: false, virtualNetwork: { id: networkId } }
}

resource endpoint 'Microsoft.Network/privateEndpoints@2026-03-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    subnet: { id: subnetId }
    privateLinkServiceConnections: [
      { name: groupId, properties: { privateLinkServiceId: targetId, groupIds: [ groupId ] } }
    ]
  }
}

resource names 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2026-03-01' = {
  parent: endpoint
  name: 'default'
  properties: { privateDnsZoneConfigs: [ { name: groupId, properties: { privateDnsZoneId: zone.id } } ] }
}
