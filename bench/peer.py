"""What another server costs, to set beside: HAPI 8.8 with PostgreSQL.

Measured on 2 cores with 8 clients on 222,000 resources; CPU milliseconds of server and
database together for each operation. The names are those of the rows in our tables.
"""

CPU_MS = {
    "Patient by family": 5.9,
    "Patient by identifier": 3.3,
    "Observation by patient": 8.7,
    "Observation by code and date": 12.3,
    "Observation _sort=-date": 13.0,
    "Patient _revinclude Encounter": 29.8,
    "read": 1.18,
    "Patient read": 1.18,
    "create": 3.45,
    "update": 4.24,
    "mix 50/20/20/10": 2.82,
    "resource in a transaction": 1.7,
}
START_SECONDS = 40.0
IDLE_MB = 1200.0
BYTES_A_RESOURCE = 7900.0
