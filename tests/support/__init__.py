"""What tests share: stores in memory, factories, servers and films."""
