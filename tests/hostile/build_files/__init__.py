"""Wrong build files, and a few tricky right ones: what is written, and what a user should see."""

from __future__ import annotations

from hostile.build_files.case import Case
from hostile.build_files.component_cases import COMPONENT_CASES
from hostile.build_files.file_cases import FILE_CASES
from hostile.build_files.right_cases import RIGHT_CASES
from hostile.build_files.secret_cases import SECRET_CASES
from hostile.build_files.value_cases import VALUE_CASES
from hostile.build_files.yaml_cases import YAML_CASES

CASES: tuple[Case, ...] = (*YAML_CASES, *FILE_CASES, *COMPONENT_CASES, *VALUE_CASES, *SECRET_CASES, *RIGHT_CASES)
