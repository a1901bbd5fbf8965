"""Pure decisions about orders: what to quote, when to requote, when to stop."""
