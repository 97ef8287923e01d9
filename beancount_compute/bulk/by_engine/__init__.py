"""The engine's own way: shards of events through `economy.engine`, their legs added up."""
