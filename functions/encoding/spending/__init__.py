"""What encodes cost: prices, the monthly limit, the receipt of each title, and the reports for the owner."""
