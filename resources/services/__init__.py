"""Clients of other servers: the database that is read, the model registry, Dagster's webserver.

Belongs here: one module for each server, with its errors. Does not belong here: what the answers mean.
"""
