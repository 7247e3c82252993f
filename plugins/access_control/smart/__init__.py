"""SMART App Launch 2: its scopes as the source of decisions, and its configuration.

``scopes`` reads them, ``deciding`` decides by them, ``compartment`` tells what belongs to
the launch patient, ``configuration`` is ``.well-known/smart-configuration``.

https://hl7.org/fhir/smart-app-launch/
"""
