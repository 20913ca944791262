"""A complete, realistic proposal as data, to be changed by the test that needs it otherwise."""

from typing import Any


def complete_content(**summary: Any) -> dict[str, Any]:
    """Every section of a complete undergraduate proposal for academic credit; keyword arguments override its
    summary."""
    return {
        "summary": {
            "title": "Applied Data Stewardship for Community Health",
            "overview": "A 36-hour credential for health workers who look after data on behalf of a community.",
            "kind": "academic",
            "level": "undergraduate",
            "host_partners": "",
            "contact_name": "Nadia Rahimi",
            "contact_email": "author@kawartha.example",
            "language": "en",
            "first_offered_on": "2027-01-11",
        }
        | summary,
        "need": {
            "purpose": "Health workers learn to look after shared patient data lawfully and usefully.",
            "need": "Family health teams in the region report 41 unfilled roles.",
            "evidence": [
                {
                    "kind": "survey",
                    "title": "Employer survey, April 2026",
                    "finding": "26 employers rank data stewardship second among skills they cannot hire for.",
                    "link": "",
                }
            ],
            "supporters": [
                {
                    "name": "Joan Taylor",
                    "role": "Executive Director",
                    "organisation": "Peterborough Family Health Team",
                    "statement": "We would send four people a year.",
                }
            ],
            "no_supporter_reason": "",
        },
        "learners": {
            "audience": "Working professionals in community health.",
            "admission": "One year in a health or social service role.",
            "enrolment": 40,
            "accessibility": "Captioned sessions, tagged documents, assessments in more than one form.",
        },
        "outcomes": {
            "outcomes": [
                {"key": "o1", "text": "Map where personal health information is collected, kept and shared."},
                {"key": "o2", "text": "Judge the quality of a data set against its intended use."},
                {"key": "o3", "text": "Defend a consent and retention plan for a community-held data set."},
            ],
            "skills": [
                {
                    "name": "Data quality assessment",
                    "framework": "ESCO",
                    "link": "https://esco.example/skill/data-quality",
                }
            ],
        },
        "assessment": {
            "assessments": [
                {
                    "key": "a1",
                    "title": "Data map",
                    "kind": "artifact",
                    "weight": 40,
                    "description": "A map of one service.",
                },
                {
                    "key": "a2",
                    "title": "Oral defence",
                    "kind": "performance",
                    "weight": 60,
                    "description": "Before partners.",
                },
            ],
            "alignment": [
                {"outcome": "o1", "assessment": "a1", "coverage": "A"},
                {"outcome": "o2", "assessment": "a1", "coverage": "A"},
                {"outcome": "o2", "assessment": "a2", "coverage": "D"},
                {"outcome": "o3", "assessment": "a2", "coverage": "A"},
            ],
            "grading": "letter",
            "pass_rule": "At least 60 % overall and a pass in the defence.",
        },
        "delivery": {
            "mode": "online-live",
            "location": "",
            "hours": 36,
            "weeks": 9,
            "workload": "Four hours a week: one live evening hour and three of one's own time.",
            "curriculum": "Module 1: where data lives. Module 2: quality. Module 3: consent and retention.",
            "credits": "1.0",
            "stacking": "Counts towards the Certificate in Community Health.",
            "transcript": "listed",
        },
        "partners": {
            "partners": [
                {
                    "name": "Curve Lake First Nation Health Centre",
                    "role": "Co-designer",
                    "contribution": "Reviews the cases of module 3.",
                }
            ],
            "consultations": [
                {
                    "unit": "Library",
                    "person": "Ingrid Solberg",
                    "asked_on": "2026-06-01",
                    "answer": "No overlap; the library offers two sessions.",
                }
            ],
        },
        "resources": {
            "fee": 650,
            "fee_basis": "Cost recovery at 20 learners.",
            "new_resources": False,
            "resources": "One sessional instructor; existing learning platform.",
            "student_aid": "",
        },
        "quality": {
            "evaluation": "Learners and partners are asked after each offering.",
            "review_months": 24,
            "renewal": "Renewed when enrolment and partner demand hold.",
        },
        "credential": {
            "badge_name": "Data Steward, Community Health",
            "badge_description": "Looks after community health data lawfully.",
            "badge_criteria": "Mapped a service, judged a data set, defended a plan.",
            "cip": "51.0706",
            "noc": "21232, 12100",
        },
    }
