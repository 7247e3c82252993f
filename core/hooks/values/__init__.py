"""What hooks are given and answer that is no resource: people, rules, subjects."""
