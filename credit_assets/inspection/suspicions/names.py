"""What a column's name says, in English, German, French and Spanish: a person's attribute, an identity, an outcome.

Belongs here: words. Does not belong here: what values say (`contents`), and which column takes which role.
"""

import re
import unicodedata

LONG = 9
# A whole word of the name, or several that follow each other. A word of nine letters or more may be part of another.
# Without accents: `spell` takes them away.
PERSONAL = {
    "sex": "sex gender geschlecht geschl gesch sexe sexo genero genre anrede salutation civilite tratamiento "
    "customer_title client_title applicant_title borrower_title",
    "age": "age alter edad lebensalter age_in_years",
    "date of birth": "birth birthdate birthday birth_date birth_year dob geburtsdatum geburtstag geburtsjahr "
    "naissance nacimiento",
    "nationality": "nationality citizenship citizen foreign foreigner foreign_worker nationalitat "
    "staatsangehorigkeit staatsburgerschaft auslander nationalite etranger nacionalidad "
    "extranjero immigrant migrant visa_status",
    "marital status": "marital marital_status married personal_status civil_status familienstand verheiratet "
    "situation_familiale situation_matrimoniale etat_civil estado_civil spouse divorced widowed",
    "postcode or address": "postcode post_code postal_code zip zipcode zip_code plz postleitzahl code_postal "
    "codigo_postal address adresse anschrift direccion street strasse city town wohnort ville ciudad domicilio",
    "religion": "religion religious faith konfession kirchensteuer confession creencia",
    "ethnicity": "race ethnic ethnicity ethnie etnia raza herkunft rasse skin_colour skin_color origine_ethnique",
    "health": "disability disabled handicap behinderung discapacidad pregnant pregnancy health gesundheit sante salud",
    "belief": "political politics union_member gewerkschaft sexual_orientation",
}
IDENTITIES = {
    "name of a person": "first_name last_name full_name surname forename family_name middle_name firstname lastname "
    "customer_name client_name applicant_name borrower_name name vorname nachname familienname nom prenom "
    "nom_de_famille nombre nombres apellido apellidos",
    "e-mail address": "email e_mail mail courriel correo correo_electronico",
    "telephone number": "phone telephone mobile phone_number telefon telefonnummer handy mobilnummer telefono movil "
    "fax",
    "account number": "iban bic account_number account_no card_number pan kontonummer numero_de_compte cuenta",
    "number of a document": "ssn social_security passport passport_number tax_id national_id id_card driving_licence "
    "steuernummer ausweisnummer sozialversicherungsnummer numero_fiscal dni nie nif cpf curp rfc",
    "address in a network": "ip ip_address user_agent device_id cookie",
}
# Who a value names, if it is the last word of a column's name: `customer_type` names nobody.
PERSONS = (
    "customer client borrower applicant debtor obligor guarantor holder officer agent advisor adviser employee clerk "
    "manager underwriter broker kunde kundin kunden kreditnehmer kreditnehmerin antragsteller antragstellerin burge "
    "schuldner sachbearbeiter sachbearbeiterin berater beraterin betreuer betreuerin mitarbeiter mitarbeiterin "
    "vermittler inhaber kontoinhaber emprunteur emprunteuse demandeur debiteur conseiller conseillere garant "
    "gestionnaire employe cliente prestatario solicitante deudor titular asesor gestor empleado empleada"
)
# A thing that has an age, too.
OLD_THINGS = "account vehicle car loan credit file business company property house oldest newest average job building"
PAST_DUE = (
    "dpd days_past_due past_due_days max_dpd worst_dpd days_overdue overdue_days days_late days_delinquent "
    "days_in_arrears arrears_days verzugstage tage_im_verzug tage_in_verzug dias_de_mora dias_mora dias_atraso "
    "jours_de_retard jours_retard"
)
DEFAULTED = (
    "default defaulted is_default in_default default_status default_flag default_ind bad is_bad bad_flag charged_off "
    "is_charged_off charge_off chargeoff npl is_npl non_performing delinquent is_delinquent serious_dlqin2yrs "
    "ausfall ausgefallen zahlungsausfall impago impagado moroso defaut en_defaut defaillance"
)
REPAID = "creditability creditworthy creditworthiness repaid is_repaid good is_good fully_paid paid performing bonitat"
# A span of time, in the name of a number or of a time: `months_at_address`, `wohnhaft_seit`.
SPANS = (
    "day days week weeks month months year years since time duration tenure tag tage monat monate jahr jahre seit "
    "dauer jour jours mois annee annees an ans depuis duree dia dias mes meses ano anos desde duracion antiguedad"
)
# How a loan stands: a part of a name, and a whole name.
LOAN_STATES = "loan_status loan_state contract_status credit_status repayment_status kreditstatus vertragsstatus"
STATES = f"{LOAN_STATES} outcome target label result good_bad"
# A target often has these words, and other columns too: a status may be that of an account, a job or a home.
VAGUE = "status state zustand estado statut etat"
AFTERWARDS = (
    "recovered recovery recoveries recovered_amount collection collections collected debt_collection written_off "
    "write_off writeoff written_off_at charge_off chargeoff repossessed repossession foreclosed foreclosure past_due "
    "overdue arrears loss_amount lgd loss_given_default closed_at settlement settled paid_off last_payment "
    "total_paid insolvency bankruptcy_filed inkasso mahnung mahnstufe verzug ruckstand abschreibung verwertung "
    "recouvrement impaye contentieux recuperado recuperacion mora castigo cobranza"
)
# What lies before the loan, or is a default value of something else.
EARLIER = (
    "prior previous in_the_past earlier history historical before vorher fruhere anterior anteriores precedent "
    "precedents default_currency default_language default_payment_method default_value"
)
CREATED = (
    "created_at created creation_date created_on create_time origination_date originated_at opened_at open_date "
    "issue_date issue_d issued_at application_date applied_at disbursed_at disbursement_date funded_at booking_date "
    "start_date inserted_at registered_at date_created angelegt_am erstellt_am antragsdatum auszahlungsdatum "
    "vertragsbeginn date_de_creation cree_le date_creation creado_en fecha_creacion fecha_de_creacion fecha_alta "
    "fecha_desembolso"
)
# A number with such a name refers to something else, and its size means nothing.
REFERENCES = "id uuid guid key ref fk kennung nummer identificador identifiant"
CODES = "code type kind class category grade segment branch product purpose art klasse tipo codigo categorie"


def spell(name: str) -> str:
    """A name in lower case, without accents, its words separated by `_`: `Días-de Mora` is `dias_de_mora`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    plain = unicodedata.normalize("NFKD", words.lower().replace("ß", "ss"))
    plain = "".join(each for each in plain if not unicodedata.combining(each))
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")


def names_any(name: str, words: str) -> bool:
    """Whether a name has one of the words."""
    spelled = spell(name)
    # An umlaut is also written with an e: `Rückstand` and `Rueckstand` are one word.
    return any(
        f"_{word}_" in f"_{each}_" or (len(word) >= LONG and "_" not in word and word in each)
        for each in (spelled, re.sub(r"([aou])e", r"\1", spelled))
        for word in words.split()
    )


def find_personal(name: str) -> str | None:
    """Which attribute of a person a name says; None if it says none."""
    for attribute, words in PERSONAL.items():
        if attribute == "age" and names_any(name, OLD_THINGS):
            continue
        if names_any(name, words):
            return attribute
    return None


def says_span(name: str) -> bool:
    """Whether a name says for how long, or since when, something holds."""
    return names_any(name, SPANS)


def says_loan_state(name: str) -> bool:
    """Whether a name says how a loan stands, and not an earlier one."""
    return (names_any(name, LOAN_STATES) or spell(name) in STATES.split()) and not names_any(name, EARLIER)


def find_identity(name: str) -> str | None:
    """Which identity of a person a name says; None if it says none."""
    return next((identity for identity, words in IDENTITIES.items() if names_any(name, words)), None)


def says_person(name: str) -> bool:
    """Whether a name says that its values are persons, or names of persons."""
    spelled = spell(name)
    last = (spelled.rpartition("_")[2], spelled.rpartition("_")[2].replace("ue", "u"))
    return any(word in PERSONS.split() for word in last) or find_identity(name) == "name of a person"


def says_past_due(name: str) -> bool:
    """Whether a name says a number of days past due."""
    return names_any(name, PAST_DUE) and not names_any(name, EARLIER)


def says_afterwards(name: str) -> bool:
    """Whether a name says what is known after the outcome only, or the outcome itself."""
    return names_any(name, f"{AFTERWARDS} {DEFAULTED} {PAST_DUE}") and not names_any(name, EARLIER)


def ends_as_reference(name: str) -> bool:
    """Whether the last word of a name says that its values refer to something."""
    return spell(name).rpartition("_")[2] in REFERENCES.split()
