"""Channels: how a notification reaches who subscribed, one file each."""
