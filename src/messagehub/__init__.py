"""messagehub: SMS with a REST API in front, real carriers behind, webhooks for all that happens."""

__version__ = "0.1.0"
