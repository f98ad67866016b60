"""Where messages go: mail, chat, phone, webhook."""
