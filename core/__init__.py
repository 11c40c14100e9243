"""What all other folders use: rows, configuration, errors, storage, ledger, client, language. Imports only itself."""
