"""What everything stands on: rows, configuration, errors, storage, ledger, client, language. Imports only itself."""
