"""Outside services that know features of a location: what they are asked, and what their answers must be.

Belongs here: which locations can be scored now, because all their answers are there. Does not belong here: the calls
(`resources.services.calls`), and the settings (`credit_assets.settings.services`).
"""
