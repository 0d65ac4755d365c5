"""What figures of all studies share: style, helpers, saving. They never average or fit."""
