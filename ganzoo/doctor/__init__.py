"""The doctor: watches a training and reports what goes wrong and what to change."""

from ganzoo.doctor.diagnoses import ORDINARY as ORDINARY
from ganzoo.doctor.diagnoses import Finding as Finding
from ganzoo.doctor.doctor import Doctor as Doctor
