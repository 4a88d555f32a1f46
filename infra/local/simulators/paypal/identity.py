"""By what the product and the simulator know each other; the secret is made at first start, like any password."""

CLIENT_ID = "AZnotflixL0calS1mulat0rOfPayPaLxCl1entId"
WEBHOOK_ID = "8PT597110X687430L"
