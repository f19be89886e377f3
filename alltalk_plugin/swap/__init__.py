"""The managed swap service: models are leased, loaded, verified, released and rolled back here."""
