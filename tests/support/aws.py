"""The variables and files of AWS's tools, for tests that reach a store as boto3 would."""

import hashlib
import json
import os
import time
from datetime import datetime
from pathlib import Path

import pytest

from resources.store.object_store import StoreError
from resources.store.opening import open_store

KEYS = {"AWS_ACCESS_KEY_ID": "KEY", "AWS_SECRET_ACCESS_KEY": "secret"}


class AwsEnvironment:
    """An environment in which nothing of AWS is set, and a home folder without files of AWS."""

    def __init__(self, patch: pytest.MonkeyPatch, home: Path) -> None:
        self.patch = patch
        self.home = home
        for name in list(os.environ):
            if name.startswith("AWS_") or name.lower().endswith("_proxy") or name == "REQUESTS_CA_BUNDLE":
                patch.delenv(name)
        self.set(HOME=str(home), AWS_EC2_METADATA_DISABLED="true")
        # botocore has looked for the home folder when it was imported.
        for each in ("botocore.credentials.SSOProvider", "botocore.tokens.SSOTokenProvider"):
            patch.setattr(f"{each}._SSO_TOKEN_CACHE_DIR", str(home / ".aws/sso/cache"))

    def set(self, **variables: str) -> None:
        for name, value in variables.items():
            self.patch.setenv(name, value)

    def unset(self, *names: str) -> None:
        for name in names:
            self.patch.delenv(name)

    def write(self, name: str, text: str) -> str:
        """Writes a file below the home folder; its path."""
        file = self.home / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return str(file)

    def log_in(self, until: datetime) -> None:
        """Leaves behind what `aws sso login` does, and the profile `desk` that uses it."""
        self.write(
            ".aws/config",
            "[profile desk]\nsso_session = work\nsso_account_id = 1\nsso_role_name = clerk\n"
            "[sso-session work]\nsso_start_url = https://login.invalid\nsso_region = us-east-1\n",
        )
        token = {"accessToken": "a token", "expiresAt": until.strftime("%Y-%m-%dT%H:%M:%SZ")}
        self.write(f".aws/sso/cache/{hashlib.sha1(b'work').hexdigest()}.json", json.dumps(token))

    def expect_refusal(self, *texts: str, **variables: str) -> str:
        """Opens a store whose patience is the usual three minutes; the error, one line that comes within seconds."""
        self.set(**variables)
        began = time.monotonic()
        with pytest.raises(StoreError) as refused:
            open_store("s3://models/prefix")
        assert time.monotonic() - began < 20
        said = str(refused.value)
        for text in texts:
            assert text in said
        assert "\n" not in said
        return said
