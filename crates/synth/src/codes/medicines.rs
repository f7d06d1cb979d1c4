//! Medicines, as dm+d virtual medicinal products.

/// What a medicine does to the body's measurements.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Effect {
    /// Nothing that is measured here.
    None,
    /// Takes this many `mm[Hg]` off the systolic pressure.
    Pressure(i32),
    /// Takes this many mmol/mol off HbA1c.
    Glucose(i32),
    /// Takes this per cent off LDL cholesterol.
    Lipids(i32),
}

/// A kind of medicine that an allergy, an age or a pregnancy can rule out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Class {
    Other,
    Penicillin,
    Trimethoprim,
    AntiInflammatory,
    Statin,
    /// ACE inhibitors, angiotensin receptor blockers and others that are not given in pregnancy.
    NotInPregnancy,
}

/// A medicine.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Drug {
    pub(crate) code: &'static str,
    pub(crate) name: &'static str,
    /// How to take it, in the words of the label.
    pub(crate) dose: &'static str,
    /// Times a day; 0 where it is taken when needed.
    pub(crate) times: i32,
    /// How much is given at a time, with its unit.
    pub(crate) quantity: (i32, &'static str),
    pub(crate) effect: Effect,
    pub(crate) class: Class,
}

const fn drug(
    code: &'static str,
    name: &'static str,
    dose: &'static str,
    times: i32,
    quantity: (i32, &'static str),
) -> Drug {
    Drug { code, name, dose, times, quantity, effect: Effect::None, class: Class::Other }
}

impl Drug {
    const fn effect(self, effect: Effect) -> Self {
        Self { effect, ..self }
    }

    /// Medicines of one group replace each other: nobody takes two of them at once.
    pub(crate) fn group(&self) -> &'static str {
        let first = self.name.split(' ').next().unwrap_or(self.name);
        if first == "Insulin" {
            return self.name;
        }
        match first {
            "Ramipril" | "Losartan" => "renin-angiotensin",
            "Dapagliflozin" | "Empagliflozin" => "SGLT2",
            "Sertraline" | "Citalopram" | "Fluoxetine" | "Mirtazapine" => "antidepressant",
            "Tiotropium" | "Umeclidinium" => "antimuscarinic",
            "Clopidogrel" | "Ticagrelor" => "P2Y12",
            "Bisoprolol" | "Propranolol" => "beta blocker",
            other => other,
        }
    }

    const fn class(self, class: Class) -> Self {
        Self { class, ..self }
    }
}

use Class::{AntiInflammatory, NotInPregnancy, Penicillin, Statin, Trimethoprim};
use Effect::{Glucose, Lipids, Pressure};

macro_rules! drugs {
    ($($name:ident = $code:literal $text:literal, $dose:literal, $times:literal, $amount:literal $unit:literal
       $(; effect $effect:expr)? $(; class $class:expr)?;;)*) => {
        $(pub(crate) static $name: Drug =
            drug($code, $text, $dose, $times, ($amount, $unit))$(.effect($effect))?$(.class($class))?;)*
        /// Every medicine, for tests.
        #[cfg(test)]
        pub(crate) static ALL: &[&Drug] = &[$(&$name),*];
    };
}

drugs! {
    RAMIPRIL_2 = "318901006" "Ramipril 2.5mg capsules", "Take one capsule once a day", 1, 28 "capsule"; effect Pressure(8); class NotInPregnancy;;
    RAMIPRIL_5 = "318902004" "Ramipril 5mg capsules", "Take one capsule once a day", 1, 28 "capsule"; effect Pressure(12); class NotInPregnancy;;
    RAMIPRIL_10 = "318906001" "Ramipril 10mg capsules", "Take one capsule once a day", 1, 28 "capsule"; effect Pressure(15); class NotInPregnancy;;
    LOSARTAN = "318956006" "Losartan 50mg tablets", "Take one tablet once a day", 1, 28 "tablet"; effect Pressure(12); class NotInPregnancy;;
    AMLODIPINE_5 = "319283006" "Amlodipine 5mg tablets", "Take one tablet once a day", 1, 28 "tablet"; effect Pressure(11);;
    AMLODIPINE_10 = "319284000" "Amlodipine 10mg tablets", "Take one tablet once a day", 1, 28 "tablet"; effect Pressure(16);;
    INDAPAMIDE = "39696211000001108" "Indapamide 2.5mg tablets", "Take one tablet in the morning", 1, 28 "tablet"; effect Pressure(9); class NotInPregnancy;;
    SPIRONOLACTONE = "318056008" "Spironolactone 25mg tablets", "Take one tablet in the morning", 1, 28 "tablet"; effect Pressure(8); class NotInPregnancy;;
    BISOPROLOL_2 = "318605000" "Bisoprolol 2.5mg tablets", "Take one tablet in the morning", 1, 28 "tablet"; effect Pressure(4);;
    PROPRANOLOL = "318353009" "Propranolol 40mg tablets", "Take one tablet twice a day", 2, 56 "tablet"; effect Pressure(4);;
    FUROSEMIDE = "317972000" "Furosemide 40mg tablets", "Take one tablet in the morning", 1, 28 "tablet"; effect Pressure(4);;
    METFORMIN = "325278007" "Metformin 500mg tablets", "Take one tablet twice a day with meals", 2, 56 "tablet"; effect Glucose(9);;
    METFORMIN_MR = "411533003" "Metformin 1g modified-release tablets", "Take two tablets with the evening meal", 1, 56 "tablet"; effect Glucose(13);;
    GLICLAZIDE = "325242002" "Gliclazide 80mg tablets", "Take one tablet twice a day before meals", 2, 56 "tablet"; effect Glucose(12);;
    SITAGLIPTIN = "424345005" "Sitagliptin 100mg tablets", "Take one tablet once a day", 1, 28 "tablet"; effect Glucose(7);;
    DAPAGLIFLOZIN = "703680009" "Dapagliflozin 10mg tablets", "Take one tablet once a day", 1, 28 "tablet"; effect Glucose(8); class NotInPregnancy;;
    EMPAGLIFLOZIN = "25290511000001101" "Empagliflozin 10mg tablets", "Take one tablet once a day", 1, 28 "tablet"; effect Glucose(8); class NotInPregnancy;;
    GLARGINE = "400877001" "Insulin glargine 100units/ml solution for injection 3ml pre-filled disposable devices", "Inject as directed once a day at bedtime", 1, 5 "pre-filled disposable injection"; effect Glucose(17);;
    ASPART = "3468711000001104" "Insulin aspart 100units/ml solution for injection 3ml pre-filled disposable devices", "Inject as directed with each meal", 3, 5 "pre-filled disposable injection"; effect Glucose(25);;
    ATORVASTATIN_20 = "39733011000001106" "Atorvastatin 20mg tablets", "Take one tablet at night", 1, 28 "tablet"; effect Lipids(40); class Statin;;
    ATORVASTATIN_40 = "39733111000001107" "Atorvastatin 40mg tablets", "Take one tablet at night", 1, 28 "tablet"; effect Lipids(46); class Statin;;
    ATORVASTATIN_80 = "39733211000001101" "Atorvastatin 80mg tablets", "Take one tablet at night", 1, 28 "tablet"; effect Lipids(52); class Statin;;
    ASPIRIN = "319773006" "Aspirin 75mg dispersible tablets", "Take one tablet once a day dissolved in water", 1, 28 "tablet";;
    CLOPIDOGREL = "319799004" "Clopidogrel 75mg tablets", "Take one tablet once a day", 1, 28 "tablet";;
    TICAGRELOR = "704465002" "Ticagrelor 90mg tablets", "Take one tablet twice a day", 2, 56 "tablet";;
    APIXABAN = "703908001" "Apixaban 5mg tablets", "Take one tablet twice a day", 2, 56 "tablet";;
    SALBUTAMOL = "320139002" "Salbutamol 100micrograms/dose inhaler CFC free", "Inhale one or two puffs up to four times a day when needed", 0, 1 "dose";;
    BECLOMETASONE = "35908111000001105" "Beclometasone 100micrograms/dose inhaler CFC free", "Inhale two puffs twice a day", 2, 1 "dose";;
    BECLOMETASONE_50 = "35909611000001106" "Beclometasone 50micrograms/dose inhaler CFC free", "Inhale two puffs twice a day through a spacer", 2, 1 "dose";;
    TIOTROPIUM = "9479011000001103" "Tiotropium bromide 18microgram inhalation powder capsules with device", "Inhale the contents of one capsule once a day", 1, 30 "capsule";;
    UMECLIDINIUM = "24645511000001105" "Umeclidinium bromide 65micrograms/dose / Vilanterol 22micrograms/dose dry powder inhaler", "Inhale one dose once a day", 1, 30 "dose";;
    CARBOCISTEINE = "320935009" "Carbocisteine 375mg capsules", "Take two capsules three times a day", 3, 120 "capsule";;
    PREDNISOLONE = "325427002" "Prednisolone 5mg tablets", "Take six tablets in the morning for five days", 1, 30 "tablet";;
    MONTELUKAST = "320884002" "Montelukast 10mg tablets", "Take one tablet in the evening", 1, 28 "tablet";;
    LEVOTHYROXINE_50 = "39698611000001106" "Levothyroxine sodium 50microgram tablets", "Take one tablet in the morning before food", 1, 28 "tablet";;
    LEVOTHYROXINE_100 = "39697911000001101" "Levothyroxine sodium 100microgram tablets", "Take one tablet in the morning before food", 1, 28 "tablet";;
    SERTRALINE_50 = "321959007" "Sertraline 50mg tablets", "Take one tablet once a day", 1, 28 "tablet";;
    SERTRALINE_100 = "321960002" "Sertraline 100mg tablets", "Take one tablet once a day", 1, 28 "tablet";;
    CITALOPRAM = "321987003" "Citalopram 20mg tablets", "Take one tablet once a day", 1, 28 "tablet";;
    FLUOXETINE = "321949006" "Fluoxetine 20mg capsules", "Take one capsule once a day", 1, 30 "capsule";;
    MIRTAZAPINE = "375193003" "Mirtazapine 15mg tablets", "Take one tablet at night", 1, 28 "tablet";;
    LITHIUM = "39110111000001103" "Lithium carbonate 400mg modified-release tablets", "Take two tablets at night", 1, 56 "tablet"; class NotInPregnancy;;
    OLANZAPINE = "321614001" "Olanzapine 10mg tablets", "Take one tablet at night", 1, 28 "tablet";;
    DONEPEZIL_5 = "323364006" "Donepezil 5mg tablets", "Take one tablet at night", 1, 28 "tablet";;
    DONEPEZIL_10 = "323365007" "Donepezil 10mg tablets", "Take one tablet at night", 1, 28 "tablet";;
    MEMANTINE = "407837006" "Memantine 10mg tablets", "Take one tablet twice a day", 2, 56 "tablet";;
    OMEPRAZOLE = "317291008" "Omeprazole 20mg gastro-resistant capsules", "Take one capsule once a day before food", 1, 28 "capsule";;
    PARACETAMOL = "322236009" "Paracetamol 500mg tablets", "Take two tablets up to four times a day when needed", 0, 100 "tablet";;
    PARACETAMOL_CHILD = "322277008" "Paracetamol 120mg/5ml oral suspension paediatric", "Give 5ml up to four times a day when needed", 0, 100 "ml";;
    NAPROXEN = "329806007" "Naproxen 250mg tablets", "Take one tablet twice a day with food", 2, 28 "tablet"; class AntiInflammatory;;
    CODEINE = "322503009" "Codeine 30mg tablets", "Take one tablet up to four times a day when needed", 0, 28 "tablet";;
    AMITRIPTYLINE = "321745007" "Amitriptyline 10mg tablets", "Take one tablet in the evening", 1, 28 "tablet";;
    ALLOPURINOL_100 = "330061001" "Allopurinol 100mg tablets", "Take one tablet once a day after food", 1, 28 "tablet";;
    ALLOPURINOL_300 = "330062008" "Allopurinol 300mg tablets", "Take one tablet once a day after food", 1, 28 "tablet";;
    TAMSULOSIN = "38754011000001109" "Tamsulosin 400microgram modified-release capsules", "Take one capsule after breakfast", 1, 30 "capsule";;
    FINASTERIDE = "325728006" "Finasteride 5mg tablets", "Take one tablet once a day", 1, 28 "tablet";;
    ALENDRONIC = "39731311000001108" "Alendronic acid 70mg tablets", "Take one tablet once a week on an empty stomach, with water, sitting up", 0, 4 "tablet";;
    FERROUS = "327438003" "Ferrous sulfate 200mg tablets", "Take one tablet once a day", 1, 28 "tablet";;
    FOLIC_ACID = "327552003" "Folic acid 400microgram tablets", "Take one tablet once a day", 1, 90 "tablet";;
    FOLIC_ACID_5 = "327550006" "Folic acid 5mg tablets", "Take one tablet once a day", 1, 28 "tablet";;
    LAMOTRIGINE = "322982006" "Lamotrigine 100mg tablets", "Take one tablet twice a day", 2, 56 "tablet";;
    LEVETIRACETAM = "323054005" "Levetiracetam 500mg tablets", "Take one tablet twice a day", 2, 60 "tablet";;
    SUMATRIPTAN = "322815004" "Sumatriptan 50mg tablets", "Take one tablet when a migraine starts", 0, 6 "tablet";;
    DESOGESTREL = "400419002" "Desogestrel 75microgram tablets", "Take one tablet once a day", 1, 84 "tablet";;
    ANASTROZOLE = "327373002" "Anastrozole 1mg tablets", "Take one tablet once a day", 1, 28 "tablet";;
    METHYLPHENIDATE = "323353008" "Methylphenidate 10mg tablets", "Take one tablet twice a day, at breakfast and at midday", 2, 60 "tablet";;
    CETIRIZINE = "320818006" "Cetirizine 10mg tablets", "Take one tablet once a day", 1, 30 "tablet";;
    HYDROCORTISONE = "346992009" "Hydrocortisone 1% cream", "Apply thinly once or twice a day", 0, 30 "gram";;
    SENNA = "317548002" "Senna 7.5mg tablets", "Take two tablets at night", 1, 60 "tablet";;
    AMOXICILLIN = "39732411000001106" "Amoxicillin 500mg capsules", "Take one capsule three times a day for five days", 3, 15 "capsule"; class Penicillin;;
    AMOXICILLIN_CHILD = "39021911000001105" "Amoxicillin 250mg/5ml oral suspension sugar free", "Give 5ml three times a day for five days", 3, 100 "ml"; class Penicillin;;
    PENICILLIN_V = "323416001" "Phenoxymethylpenicillin 250mg tablets", "Take two tablets four times a day for five days", 4, 40 "tablet"; class Penicillin;;
    PENICILLIN_V_CHILD = "323418000" "Phenoxymethylpenicillin 125mg/5ml oral solution", "Give 5ml four times a day for five days", 4, 100 "ml"; class Penicillin;;
    FLUCLOXACILLIN = "39692211000001107" "Flucloxacillin 500mg capsules", "Take one capsule four times a day for seven days", 4, 28 "capsule"; class Penicillin;;
    DOXYCYCLINE = "324059006" "Doxycycline 100mg capsules", "Take two capsules on the first day, then one a day for four days", 1, 6 "capsule"; class NotInPregnancy;;
    CLARITHROMYCIN = "324244008" "Clarithromycin 500mg tablets", "Take one tablet twice a day for five days", 2, 10 "tablet";;
    NITROFURANTOIN = "39108511000001108" "Nitrofurantoin 100mg modified-release capsules", "Take one capsule twice a day for three days", 2, 6 "capsule";;
    TRIMETHOPRIM_200 = "324431001" "Trimethoprim 200mg tablets", "Take one tablet twice a day for three days", 2, 6 "tablet"; class Trimethoprim;;
}
