"""Where bytes live, and what runs and Dagster itself stand on. Nothing here knows what a loan is.

The modules beside this file are names that other releases use. While a release is upgraded, a pod of the old image may
get a command of the new one, and a run carries the names of its instance's classes. These names therefore never move;
the code behind them lives in the rooms.
"""
