# The two commands of the README; both need make and Python 3.11 or newer, nothing else.

PYTHON ?= python3
PORT ?= 8080
ROUNDS ?= 300
ENV := .venv

.PHONY: serve test docs crashes clean

serve: $(ENV)/installed
	$(ENV)/bin/fyr serve --config config/default.toml --demo --port $(PORT)

test: $(ENV)/tox
	$(ENV)/bin/tox

docs: $(ENV)/tox
	$(ENV)/bin/tox -e docs -- -r

# Servers, workers and the broker are killed ROUNDS times, for each store.
crashes: $(ENV)/tox
	FYR_TEST_CRASH_ROUNDS=$(ROUNDS) $(ENV)/bin/tox -e py -- tests/services/test_messages_through_crashes.py

$(ENV)/bin/python:
	sh tools/environment.sh "$(PYTHON)" $(ENV)

$(ENV)/installed: $(ENV)/bin/python setup.cfg pyproject.toml $(shell find config core plugins search -name '*.py' -o -name '*.sql' -o -name '*.json')
	$(ENV)/bin/python -m pip install --quiet .
	touch $@

$(ENV)/tox: $(ENV)/bin/python
	$(ENV)/bin/python -m pip install --quiet 'tox>=4.20'
	touch $@

clean:
	rm -rf $(ENV) .tox build dist *.egg-info
