"""messagehub: SMS with a REST API in front, real carriers behind, webhooks for all that happens."""
