"""PyPI fhirclient, the SMART client: it reads everything into strict models of R4, so that any slip of ours shows."""

import unittest
import warnings

import requests
from fhirclient import client as smart
from fhirclient import server as smart_server
from fhirclient._utils import iter_pages
from fhirclient.models.bundle import Bundle
from fhirclient.models.observation import Observation
from fhirclient.models.patient import Patient

import house

warnings.simplefilter("error", DeprecationWarning)


def connected(token=house.TOKEN):
    server = smart.FHIRClient(settings={"app_id": "clients", "api_base": house.BASE}).server
    server.session.headers["Authorization"] = f"Bearer {token}"
    return server


class Fhirclient(house.Case):
    @classmethod
    def setUpClass(cls):
        cls.server = connected()
        done = Bundle(Bundle(house.ada()).create(cls.server))
        cls.ada = house.place(done.entry[0].response.location).split("/")[1]

    @classmethod
    def tearDownClass(cls):
        cls.server.session.close()

    def weighed(self, value=70, **changes):
        """A weight that was just sent, as the server keeps it."""
        resource = Observation(house.measured(f"Patient/{self.ada}", house.WEIGHT, "2025-06-01", value, **changes))
        made = Observation(resource.create(self.server))
        made.origin_server = self.server
        return made

    def refused(self, status, code=None):
        """The client raises an error with this status, and with our answer."""
        case = self

        class Refused:
            def __enter__(self):
                return self

            def __exit__(self, kind, error, _trace):
                case.assertIsNotNone(error, f"not refused with {status}")
                case.assertEqual(error.response.status_code, status)
                case.assert_outcome(error.response.json(), code)
                return True

        return Refused()

    def test_creates_reads_updates_and_reads_an_older_version(self):
        made = self.weighed(70.5)
        self.assertEqual(made.meta.versionId, Observation.read(made.id, self.server).meta.versionId)
        changed = Observation.read(made.id, self.server)
        self.assertEqual(changed.as_json(), made.as_json())
        changed.status = "amended"
        changed = Observation(changed.update(self.server))
        self.assertNotEqual(changed.meta.versionId, made.meta.versionId)
        older = Observation.read_from(f"Observation/{made.id}/_history/{made.meta.versionId}", self.server)
        self.assertEqual(older.as_json(), made.as_json())

    def test_searches_by_patient_code_and_date_sorted_and_pages_to_the_end(self):
        search = Observation.where({
            "patient": self.ada,
            "code": f"{house.LOINC}|{house.WEIGHT}",
            "date": {"$and": ["ge2026-01-01", "lt2027"]},
            "_sort": "-date",
            "_count": "5",
        })
        pages = list(search.perform_iter(self.server))
        self.assertEqual([len(page.entry) for page in pages], [5, 5, 5, 5, 3])
        found = search.perform_resources_iter(self.server)
        self.assertEqual([it.effectiveDateTime.as_json() for it in found], house.days(23)[::-1])

    def test_includes_and_resolves_what_a_result_refers_to(self):
        search = Observation.where({"patient": self.ada, "code": house.HEART_RATE}).include("subject")
        found = list(search.perform_resources_iter(self.server))
        self.assertEqual([it.resource_type for it in found], ["Observation", "Patient"])
        read = Observation.read(found[0].id, self.server)
        self.assertEqual(read.subject.resolved(Patient).name[0].family, "Marlow")

    def test_sends_a_transaction_and_a_batch(self):
        done = Bundle(Bundle(house.ada()).create(self.server))
        self.assertEqual({entry.response.status[:3] for entry in done.entry}, {"201"})
        patient, observation = (house.place(entry.response.location) for entry in done.entry[:2])
        self.assertEqual(Observation.read(observation.split("/")[1], self.server).subject.reference, patient)
        entries = [{"request": {"method": "GET", "url": url}} for url in (patient, "Patient/nobody")]
        done = Bundle(Bundle({"resourceType": "Bundle", "type": "batch", "entry": entries}).create(self.server))
        self.assertEqual([entry.response.status[:3] for entry in done.entry], ["200", "404"])
        self.assertEqual(done.entry[0].resource.name[0].family, "Marlow")
        self.assert_outcome(done.entry[1].response.outcome.as_json())

    def test_sees_every_version_in_the_history_a_deletion_too(self):
        made = self.weighed()
        made.status = "amended"
        made.update()
        made.delete()
        history = Bundle.read_from(f"Observation/{made.id}/_history", self.server)
        self.assertEqual([entry.request.method for entry in history.entry], ["DELETE", "PUT", "POST"])
        with self.refused(410):
            Observation.read(made.id, self.server)

    def test_creates_once_what_it_creates_on_a_condition(self):
        key = house.identifier()
        # The client sets no headers of its own for one request, so its session does.
        server = connected()
        server.session.headers["If-None-Exist"] = f"patient={self.ada}&identifier={house.SYSTEM}|{key['value']}"
        resource = house.measured(f"Patient/{self.ada}", house.WEIGHT, "2025-06-01", 60, identifier=[key])
        made, again = (Observation(Observation(resource).create(server)) for _ in range(2))
        server.session.close()
        self.assertEqual(again.as_json(), made.as_json())

    def test_reads_everything_and_the_summary_of_a_person(self):
        pages = list(iter_pages(Bundle.read_from(f"Patient/{self.ada}/$everything?_count=10", self.server), self.server))
        self.assertGreater(len(pages), 2)
        kinds = {entry.resource.resource_type for page in pages for entry in page.entry}
        self.assertEqual(kinds, {"Patient", "Observation"})
        summary = Bundle.read_from(f"Patient/{self.ada}/$summary", self.server)
        self.assertEqual((summary.type, summary.entry[0].resource.resource_type), ("document", "Composition"))
        sections = [section.title for section in summary.entry[0].resource.section]
        self.assertGreaterEqual(len(sections), 3)

    def test_finds_in_the_capability_statement_what_it_may_do(self):
        statement = self.server.capabilityStatement
        self.assertEqual(statement.fhirVersion, "4.0.1")
        observation = next(it for it in statement.rest[0].resource if it.type == "Observation")
        self.assertLessEqual({"read", "create", "search-type"}, {it.code for it in observation.interaction})

    def test_is_told_what_is_wrong(self):
        with self.refused(404, "not-found"):
            Observation.read("nobody", self.server)
        made = self.weighed()
        made.status = "amended"
        late = connected()
        late.session.headers["If-Match"] = 'W/"999999"'
        with self.refused(412, "conflict"):
            made.update(late)
        late.session.close()
        nobodys = house.measured("Patient/nobody", house.WEIGHT, "2025-01-01", 1)
        with self.refused(422):
            Observation(nobodys).create(self.server)
        with self.refused(400):
            list(Observation.where({"patient": self.ada, "bogus": "1"}).perform_iter(self.server))
        stranger = connected("kw_nobody")
        with self.assertRaises(smart_server.FHIRUnauthorizedException):
            Patient.read(self.ada, stranger)
        stranger.session.close()
        self.assertIsInstance(self.server.session, requests.Session)


if __name__ == "__main__":
    unittest.main()
