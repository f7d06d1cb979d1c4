//! Vaccines: dm+d product and SNOMED CT procedure.

use super::{Code, sct};

/// A vaccine.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Vaccine {
    pub(crate) product: (&'static str, &'static str),
    pub(crate) procedure: Code,
    /// What it protects against: SNOMED CT.
    pub(crate) target: Code,
    pub(crate) maker: &'static str,
    /// Given by mouth or nose instead of into a muscle.
    pub(crate) needle: bool,
}

macro_rules! vaccines {
    ($($name:ident = $dmd:literal $product:literal, $code:literal $term:literal, $target:literal $disease:literal,
       $maker:literal, $needle:literal;)*) => {
        $(pub(crate) static $name: Vaccine = Vaccine {
            product: ($dmd, $product), procedure: sct($code, $term), target: sct($target, $disease),
            maker: $maker, needle: $needle,
        };)*
        /// Every vaccine, for tests.
        #[cfg(test)]
        pub(crate) static ALL: &[&Vaccine] = &[$(&$name),*];
    };
}

vaccines! {
    SIX_IN_ONE = "34765811000001105" "Infanrix Hexa vaccine powder and suspension for suspension for injection 0.5ml pre-filled syringes (GlaxoSmithKline UK Ltd)", "1162640003" "Administration of vaccine product containing only acellular Bordetella pertussis and Clostridium tetani and Corynebacterium diphtheriae and Haemophilus influenzae type b and Hepatitis B virus and inactivated Human poliovirus antigens", "76902006" "Tetanus", "GlaxoSmithKline UK Ltd", true;
    ROTAVIRUS = "34609911000001106" "Rotarix vaccine live oral suspension 1.5ml tube (GlaxoSmithKline UK Ltd)", "415354003" "Administration of vaccine product containing only Rotavirus antigen", "18624000" "Disease caused by Rotavirus", "GlaxoSmithKline UK Ltd", false;
    MEN_B = "23584211000001109" "Bexsero vaccine suspension for injection 0.5ml pre-filled syringes (GlaxoSmithKline UK Ltd)", "516301000000101" "Recombinant meningococcal group B and outer membrane vesicle vaccination", "23511006" "Meningococcal infectious disease", "GlaxoSmithKline UK Ltd", true;
    PNEUMOCOCCAL = "16649411000001104" "Prevenar 13 vaccine suspension for injection 0.5ml pre-filled syringes (Pfizer Ltd)", "12866006" "Pneumococcal vaccination", "16814004" "Pneumococcal infectious disease", "Pfizer Ltd", true;
    MMR = "34925111000001104" "Priorix vaccine powder and solvent for solution for injection 0.5ml pre-filled syringes (GlaxoSmithKline UK Ltd)", "38598009" "Administration of vaccine product containing only Measles morbillivirus and Mumps orthorubulavirus and Rubella virus antigens", "14189004" "Measles", "GlaxoSmithKline UK Ltd", true;
    MMR_SECOND = "34925111000001104" "Priorix vaccine powder and solvent for solution for injection 0.5ml pre-filled syringes (GlaxoSmithKline UK Ltd)", "170433008" "Administration of second dose of vaccine product containing only Measles morbillivirus and Mumps orthorubulavirus and Rubella virus antigens", "14189004" "Measles", "GlaxoSmithKline UK Ltd", true;
    FOUR_IN_ONE = "26267211000001100" "Boostrix-IPV suspension for injection 0.5ml pre-filled syringes (GlaxoSmithKline UK Ltd)", "247821000000102" "Booster diphtheria, tetanus, acellular pertussis and inactivated polio vaccination", "76902006" "Tetanus", "GlaxoSmithKline UK Ltd", true;
    HPV = "33493111000001108" "Gardasil 9 vaccine suspension for injection 0.5ml pre-filled syringes (Merck Sharp & Dohme (UK) Ltd)", "761841000" "Administration of vaccine product containing only Human papillomavirus antigen", "240532009" "Human papillomavirus infection", "Merck Sharp & Dohme (UK) Ltd", true;
    TEENAGE_BOOSTER = "7374511000001107" "Revaxis vaccine suspension for injection 0.5ml pre-filled syringes (Sanofi) 1 pre-filled disposable injection", "866227002" "Administration of booster dose of vaccine product containing only Clostridium tetani and Corynebacterium diphtheriae and Human poliovirus antigens", "76902006" "Tetanus", "Sanofi", true;
    MEN_ACWY = "39779611000001104" "MenQuadfi vaccine solution for injection 0.5ml vials (Sanofi)", "871874000" "Administration of vaccine product containing only Neisseria meningitidis serogroup A, C, W135 and Y antigens", "23511006" "Meningococcal infectious disease", "Sanofi", true;
    FLU = "34680411000001107" "Quadrivalent influenza vaccine (split virion, inactivated) suspension for injection 0.5ml pre-filled syringes (Sanofi Pasteur)", "822851000000102" "Seasonal influenza vaccination", "6142004" "Influenza", "Sanofi Pasteur", true;
    COVID = "43111411000001101" "Comirnaty JN.1 COVID-19 mRNA Vaccine 30micrograms/0.3ml dose dispersion for injection multidose vials (Pfizer Ltd)", "1362591000000103" "Immunisation course to maintain protection against SARS-CoV-2 (severe acute respiratory syndrome coronavirus 2)", "840539006" "Disease caused by severe acute respiratory syndrome coronavirus 2", "Pfizer Ltd", true;
    COVID_FIRST = "39114911000001105" "COVID-19 Vaccine Vaxzevria (ChAdOx1 S [recombinant]) not less than 2.5x100,000,000 infectious units/0.5ml dose suspension for injection multidose vials (AstraZeneca UK Ltd)", "1324681000000101" "Administration of first dose of severe acute respiratory syndrome coronavirus 2 vaccine", "840539006" "Disease caused by severe acute respiratory syndrome coronavirus 2", "AstraZeneca UK Ltd", true;
    COVID_SECOND = "39114911000001105" "COVID-19 Vaccine Vaxzevria (ChAdOx1 S [recombinant]) not less than 2.5x100,000,000 infectious units/0.5ml dose suspension for injection multidose vials (AstraZeneca UK Ltd)", "1324691000000104" "Administration of second dose of severe acute respiratory syndrome coronavirus 2 vaccine", "840539006" "Disease caused by severe acute respiratory syndrome coronavirus 2", "AstraZeneca UK Ltd", true;
    SHINGLES = "39655511000001105" "Shingrix (Herpes Zoster) adjuvanted recombinant vaccine powder and suspension for suspension for injection 0.5ml vials (GlaxoSmithKline UK Ltd)", "722215002" "Administration of vaccine product containing only Human alphaherpesvirus 3 antigen for shingles", "4740000" "Herpes zoster", "GlaxoSmithKline UK Ltd", true;
    WHOOPING_COUGH = "42707511000001109" "Adacel vaccine suspension for injection 0.5ml pre-filled syringes (Sanofi)", "956951000000104" "Pertussis vaccination in pregnancy", "27836007" "Pertussis", "Sanofi", true;
    RSV = "42605811000001109" "Abrysvo vaccine powder and solvent for solution for injection 0.5ml vials (Pfizer Ltd)", "1303503001" "Administration of RSV (respiratory syncytial virus) vaccine", "55735004" "Respiratory syncytial virus infection", "Pfizer Ltd", true;
}
